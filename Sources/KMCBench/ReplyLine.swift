// SPDX-License-Identifier: MIT

import Glibc

/// Fixed pieces of replies as numbers, so that one load compares them (memcached protocol.txt, "Retrieval commands",
/// "Storage commands" and "Meta Get").
enum Token {
    static let lineFeed: UInt8 = 0x0A
    /// CR LF
    static let lineEnd: UInt16 = 0x0A0D
    /// `END` CR
    static let end: UInt32 = 0x0D44_4E45
    /// `EN` CR LF
    static let metaMiss: UInt32 = 0x0A0D_4E45
    /// `STORED` CR LF
    static let stored: UInt64 = 0x0A0D_4445_524F_5453
}

/// The first line of a reply that is not the expected one, read carefully.
enum ReplyLine: Equatable {
    /// More bytes are needed to tell.
    case incomplete
    /// Not a reply, or one that does not fit the request.
    case nonsense
    /// An error line, or a storage command's refusal, of this length.
    case error(Int)
    /// An item of this length, its value and line end included, and the last eight bytes of its key if it is as long as
    /// the keys asked for.
    case item(length: Int, digits: UInt64?)

    /// The longest line a server may send: a key and three numbers, or an error's sentence.
    private static let longest = 2048

    private static let refusals = ["ERROR", "CLIENT_ERROR ", "SERVER_ERROR ", "NOT_STORED", "EXISTS", "NOT_FOUND"]

    init(_ bytes: UnsafeRawPointer, _ count: Int, key: Int, keySize: Int) {
        guard let feed = memchr(bytes, Int32(Token.lineFeed), min(count, Self.longest)) else {
            self = count < Self.longest ? .incomplete : .nonsense
            return
        }
        let length = bytes.distance(to: UnsafeRawPointer(feed)) + 1
        let line = UnsafeRawBufferPointer(start: bytes, count: length)
        if line.starts(with: "VALUE ".utf8) {
            self = Self.item(line, number: 3, key: key, keySize: keySize)
        } else if line.starts(with: "VA ".utf8) {
            self = Self.item(line, number: 1, key: key, keySize: keySize)
        } else if Self.refusals.contains(where: { line.starts(with: $0.utf8) }) {
            self = .error(length)
        } else {
            self = .nonsense
        }
    }

    /// An item whose length is word `number` of its line.
    private static func item(_ line: UnsafeRawBufferPointer, number: Int, key: Int, keySize: Int) -> ReplyLine {
        let words = line.dropLast(line.count >= 2 && line[line.count - 2] == 0x0D ? 2 : 1)
            .split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count > number, let size = decimal(words[number]) else { return .nonsense }
        var digits: UInt64?
        if number == 3 && words[1].count == keySize {
            digits = line.loadUnaligned(fromByteOffset: key + keySize - KeyName.size, as: UInt64.self)
        }
        return .item(length: line.count + size + 2, digits: digits)
    }

    private static func decimal(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        // Ten digits hold any 32-bit length, and cannot overflow.
        guard (1...10).contains(digits.count) else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}
