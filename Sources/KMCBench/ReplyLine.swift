// SPDX-License-Identifier: MIT

import Glibc

/// Fixed pieces of replies as numbers.
enum Token {
    static let lineFeed: UInt8 = 0x0A
    /// CR LF
    static let lineEnd: UInt16 = 0x0A0D
}

/// The first line of a reply that is not the expected one, read carefully (memcached protocol.txt, "Retrieval commands",
/// "Storage commands" and "Meta Get"). Lengths of lines include their end.
enum ReplyLine {
    /// More bytes are needed to tell.
    case incomplete
    /// Not a reply.
    case nonsense
    /// An error line, or a storage command's refusal, of this length.
    case error(Int)
    case end(Int)
    case stored(Int)
    case metaMiss(Int)
    /// `VALUE`: the line's length, the key, the value's size without its line end.
    case item(line: Int, key: UnsafeRawBufferPointer, size: Int)
    /// `VA`.
    case metaItem(line: Int, size: Int)

    /// The longest line a server may send: a key and three numbers, or an error's sentence.
    private static let longest = 2048
    /// The longest value that is waited for: memcached's -I allows no more.
    private static let longestValue = 1 << 30

    private static let refusals = ["ERROR", "CLIENT_ERROR ", "SERVER_ERROR ", "NOT_STORED", "EXISTS", "NOT_FOUND"]

    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0, let feed = memchr(bytes.baseAddress!, Int32(Token.lineFeed), min(bytes.count, Self.longest))
        else {
            self = bytes.count < Self.longest ? .incomplete : .nonsense
            return
        }
        let length = bytes.baseAddress!.distance(to: UnsafeRawPointer(feed)) + 1
        let line = UnsafeRawBufferPointer(rebasing: bytes[..<length])
        if line.elementsEqual("END\r\n".utf8) {
            self = .end(length)
        } else if line.elementsEqual("EN\r\n".utf8) {
            self = .metaMiss(length)
        } else if line.elementsEqual("STORED\r\n".utf8) {
            self = .stored(length)
        } else if line.starts(with: "VALUE ".utf8) {
            self = Self.item(line)
        } else if line.starts(with: "VA ".utf8) {
            self = Self.metaItem(line)
        } else if Self.refusals.contains(where: { line.starts(with: $0.utf8) }) {
            self = .error(length)
        } else {
            self = .nonsense
        }
    }

    private static func item(_ line: UnsafeRawBufferPointer) -> ReplyLine {
        let words = words(line)
        guard words.count >= 4, let size = decimal(words[3]) else { return .nonsense }
        return .item(line: line.count, key: UnsafeRawBufferPointer(rebasing: words[1]), size: size)
    }

    private static func metaItem(_ line: UnsafeRawBufferPointer) -> ReplyLine {
        let words = words(line)
        guard words.count >= 2, let size = decimal(words[1]) else { return .nonsense }
        return .metaItem(line: line.count, size: size)
    }

    private static func words(_ line: UnsafeRawBufferPointer) -> [Slice<UnsafeRawBufferPointer>] {
        line.dropLast(line.count >= 2 && line[line.count - 2] == 0x0D ? 2 : 1)
            .split(separator: 0x20, omittingEmptySubsequences: false)
    }

    private static func decimal(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        // Ten digits hold any 32-bit length, and cannot overflow.
        guard (1...10).contains(digits.count) else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value <= longestValue ? value : nil
    }
}
