// SPDX-License-Identifier: MIT

/// The keys of a retrieval whose line is too long to be held: each is taken as soon as it has arrived
/// (``Dialect/streamsLongLines``).
struct TextKeyStream {
    enum Step {
        case key(Bytes)
        /// The line has ended; without any key it was no command.
        case end(any: Bool)
        /// A key is too long. The rest of the line is thrown away, and then there is `.over`.
        case refused
        case over
    }

    /// Bytes of a key without an end that show it to be too long, one for a carriage return among them.
    private static let tooLong = Limits.keyLength + 3

    let unique: Bool
    /// Set for `gat` and `gats`.
    let expiry: Int32?
    private var any = false
    private var isRefused = false

    /// The retrieval that `head` begins, and how many bytes come before its keys; nil for any other line.
    static func begin(_ head: ArraySlice<UInt8>) -> (stream: TextKeyStream, length: Int)? {
        let name = head.prefix { $0 != ASCII.space }
        switch String(decoding: name, as: UTF8.self) {
        case "get": return (TextKeyStream(unique: false, expiry: nil), name.count)
        case "gets": return (TextKeyStream(unique: true, expiry: nil), name.count)
        case "gat", "gats":
            let rest = head.dropFirst(name.count).drop { $0 == ASCII.space }
            let word = rest.prefix { $0 != ASCII.space }
            guard word.endIndex < head.endIndex, let expiry = Numbers.signed32(word), !word.isEmpty else { return nil }
            return (TextKeyStream(unique: name.count == 4, expiry: expiry), word.endIndex - head.startIndex)
        default: return nil
        }
    }

    private init(unique: Bool, expiry: Int32?) {
        self.unique = unique
        self.expiry = expiry
    }

    func command(_ key: Bytes) -> Command {
        expiry.map { .getAndTouch(expiry: $0, keys: [key], unique: unique) } ?? .get(keys: [key], unique: unique)
    }

    mutating func next(_ queue: inout ByteQueue) -> Step? {
        if isRefused {
            let rest = queue.unread.firstIndex(of: ASCII.lineFeed)
            _ = queue.drop(rest.map { $0 + 1 - queue.unread.startIndex } ?? queue.count)
            return rest == nil ? nil : .over
        }
        _ = queue.drop(queue.unread.prefix { $0 == ASCII.space }.count)
        let word = queue.unread.prefix { $0 != ASCII.space && $0 != ASCII.lineFeed }
        guard word.endIndex < queue.unread.endIndex else { return word.count >= Self.tooLong ? refuse() : nil }
        var key = Bytes(word)
        if queue.unread[word.endIndex] == ASCII.lineFeed {
            if key.last == ASCII.carriageReturn { key.removeLast() }
            if key.isEmpty {
                _ = queue.drop(word.count + 1)
                return .end(any: any)
            }
        }
        if key.count > Limits.keyLength { return refuse() }
        _ = queue.drop(key.count)
        any = true
        return .key(key)
    }

    private mutating func refuse() -> Step {
        isRefused = true
        return .refused
    }
}
