// SPDX-License-Identifier: MIT

/// The client's side of the text protocol: bytes in any split become replies.
///
///     reply    = { value } ( "END" | failure ) | { stat } "END" | number | word | failure | meta
///     value    = "VALUE" key flags length [ unique ] CRLF data CRLF
///     stat     = "STAT" name value CRLF
///     meta     = "VA" length { flag } CRLF data CRLF | code { flag } CRLF
///
/// An `END` on its own is an empty `values`, since the text doesn't say what was asked.
public struct TextReplyDecoder {
    /// A reply that breaks the protocol; the connection can't be understood any further.
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        public let line: Bytes
        public var description: String { "reply breaks the protocol: \"\(line.escaped())\"" }
    }

    private var queue = ByteQueue()
    private var values: [Value] = []
    private var stats: [Statistic] = []
    private var awaited: (value: Value, length: Int)?
    private var awaitedMeta: (reply: MetaReply, length: Int)?
    /// A failure that came in the place of `END`.
    private var interruption: Reply?

    public init() {}

    /// Whether nothing of a reply is pending.
    public var isIdle: Bool {
        queue.isEmpty && values.isEmpty && stats.isEmpty && awaited == nil && awaitedMeta == nil
    }

    /// Bytes that have arrived and not become part of a reply, for messages about what is missing.
    public var unread: Bytes { Bytes(queue.unread) }

    public mutating func append(_ bytes: some Sequence<UInt8>) {
        queue.append(bytes)
    }

    /// The next complete reply, or nil until more bytes arrive.
    public mutating func next() throws(Malformed) -> Reply? {
        if let failure = interruption {
            interruption = nil
            return failure
        }
        while true {
            if let (value, length) = awaited {
                guard let data = try takeData(length) else { return nil }
                var whole = value
                whole.data = data
                values.append(whole)
                awaited = nil
            }
            if let (reply, length) = awaitedMeta {
                guard let data = try takeData(length) else { return nil }
                awaitedMeta = nil
                return .meta(MetaReply(reply.code, reply.words, value: data))
            }
            guard let line = queue.takeLine() else { return nil }
            guard line.last == ASCII.carriageReturn else { throw Malformed(line: Bytes(line)) }
            if let reply = try take(line.dropLast()) { return reply }
        }
    }

    /// Data and the line end behind it, if both have arrived.
    private mutating func takeData(_ length: Int) throws(Malformed) -> Bytes? {
        guard let data = queue.take(length + 2) else { return nil }
        guard data.suffix(2).elementsEqual([ASCII.carriageReturn, ASCII.lineFeed]) else {
            throw Malformed(line: Bytes(data.suffix(32)))
        }
        return Bytes(data.dropLast(2))
    }

    private mutating func take(_ line: ArraySlice<UInt8>) throws(Malformed) -> Reply? {
        if line.starts(with: "VALUE ") {
            awaited = try Self.valueLine(line)
            return nil
        }
        if line.starts(with: "STAT ") {
            let parts = line.dropFirst(5).split(separator: ASCII.space, maxSplits: 1, omittingEmptySubsequences: false)
            stats.append(
                Statistic(
                    String(decoding: parts[0], as: UTF8.self),
                    parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""))
            return nil
        }
        if line.spells("END") { return end() }
        if values.isEmpty, stats.isEmpty, let meta = Self.meta(line) {
            guard meta.code == .value else { return .meta(meta) }
            guard let length = meta.words.first.flatMap({ Numbers.unsigned32($0) }) else { throw Malformed(line: Bytes(line)) }
            awaitedMeta = (MetaReply(.value, Array(meta.words.dropFirst())), Int(length))
            return nil
        }
        let reply = Self.simple(Bytes(line))
        if values.isEmpty, stats.isEmpty { return reply }
        guard case .failure = reply, stats.isEmpty else { throw Malformed(line: Bytes(line)) }
        interruption = reply
        defer { values = [] }
        return .interrupted(values)
    }

    private mutating func end() -> Reply {
        defer {
            values = []
            stats = []
        }
        return stats.isEmpty ? .values(values) : .stats(stats)
    }

    /// A line that begins with the code of a meta reply.
    private static func meta(_ line: ArraySlice<UInt8>) -> MetaReply? {
        guard line.count == 2 || line.dropFirst(2).first == ASCII.space else { return nil }
        guard let code = MetaReply.Code(rawValue: String(decoding: line.prefix(2), as: UTF8.self)) else { return nil }
        let words = line.dropFirst(3).split(separator: ASCII.space, omittingEmptySubsequences: false)
        return MetaReply(code, line.count == 2 ? [] : words.map(Bytes.init))
    }

    private static func valueLine(_ line: ArraySlice<UInt8>) throws(Malformed) -> (Value, Int) {
        let words = line.split(separator: ASCII.space)
        guard (4...5).contains(words.count), let flags = Numbers.unsigned(words[2]).flatMap({ UInt32(exactly: $0) }),
            let length = Numbers.unsigned32(words[3])
        else { throw Malformed(line: Bytes(line)) }
        var value = Value(key: Bytes(words[1]), flags: flags, data: [])
        if words.count == 5 {
            guard let unique = Numbers.unsigned(words[4]) else { throw Malformed(line: Bytes(line)) }
            value.unique = unique
        }
        return (value, Int(length))
    }

    private static func simple(_ line: Bytes) -> Reply {
        if let word = words[line] { return word }
        if line.starts(with: "VERSION ") { return .version(String(decoding: line.dropFirst(8), as: UTF8.self)) }
        if Failure.recognises(line) { return .failure(Failure(String(decoding: line, as: UTF8.self))) }
        if !line.isEmpty, let number = Numbers.unsigned(line) { return .number(number) }
        return .unknown(line)
    }

    private static let words: [Bytes: Reply] = [
        Bytes("STORED"): .stored, Bytes("NOT_STORED"): .notStored, Bytes("EXISTS"): .exists,
        Bytes("NOT_FOUND"): .notFound, Bytes("DELETED"): .deleted, Bytes("TOUCHED"): .touched,
        Bytes("OK"): .ok, Bytes("RESET"): .reset,
    ]
}
