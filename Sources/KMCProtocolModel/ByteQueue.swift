// SPDX-License-Identifier: MIT

/// Bytes that have arrived and are not yet consumed, searched for line ends once each.
struct ByteQueue {
    private var storage: Bytes = []
    private var start = 0
    private var searched = 0

    var count: Int { storage.count - start }
    var isEmpty: Bool { count == 0 }
    var unread: ArraySlice<UInt8> { storage[start...] }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 65536, start > storage.count / 2 {
            storage.removeFirst(start)
            searched -= start
            start = 0
        }
        storage.append(contentsOf: bytes)
    }

    /// The next line without its line feed, if it has arrived whole.
    mutating func takeLine() -> ArraySlice<UInt8>? {
        searched = Swift.max(searched, start)
        guard let end = storage[searched...].firstIndex(of: ASCII.lineFeed) else {
            searched = storage.count
            return nil
        }
        defer { consume(end + 1 - start) }
        return storage[start..<end]
    }

    /// Exactly `length` bytes, if they have arrived.
    mutating func take(_ length: Int) -> ArraySlice<UInt8>? {
        guard count >= length else { return nil }
        defer { consume(length) }
        return storage[start..<start + length]
    }

    /// Throws away at most `length` bytes and says how many.
    mutating func drop(_ length: Int) -> Int {
        let dropped = Swift.min(length, count)
        consume(dropped)
        return dropped
    }

    mutating func removeAll() {
        storage.removeAll()
        start = 0
        searched = 0
    }

    private mutating func consume(_ length: Int) {
        start += length
        if start == storage.count { removeAll() }
    }
}
