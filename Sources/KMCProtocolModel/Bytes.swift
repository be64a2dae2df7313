// SPDX-License-Identifier: MIT

/// Keys, values and wire data: the protocols are defined on bytes, never on characters.
public typealias Bytes = [UInt8]

/// The ASCII codes that the text protocol gives a meaning to.
enum ASCII {
    static let nul: UInt8 = 0
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let plus: UInt8 = 0x2B
    static let minus: UInt8 = 0x2D
    static let zero: UInt8 = 0x30
    static let nine: UInt8 = 0x39

    /// What C's `isspace` accepts in the C locale, which memcached runs in.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == space || (0x09...0x0D).contains(byte)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (zero...nine).contains(byte)
    }
}

extension Array where Element == UInt8 {
    /// The UTF-8 bytes of `text`, which for protocol words are its ASCII bytes.
    public init(_ text: String) {
        self.init(text.utf8)
    }

    /// A line of the text protocol: `text` and CR LF.
    public static func line(_ text: String) -> Bytes {
        Bytes(text + "\r\n")
    }

    mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    mutating func appendLineEnd() {
        append(ASCII.carriageReturn)
        append(ASCII.lineFeed)
    }
}

extension Collection where Element == UInt8 {
    /// The bytes as a printable line: what a terminal may be shown of a stranger's data.
    ///
    /// - Parameter limit: how many bytes are shown before the middle is left out.
    public func escaped(limit: Int = 160) -> String {
        guard count > limit else { return escapedInFull() }
        let half = limit / 2
        return prefix(half).escapedInFull() + "…(\(count) bytes)…" + suffix(half).escapedInFull()
    }

    private func escapedInFull() -> String {
        var text = ""
        for byte in self {
            switch byte {
            case ASCII.carriageReturn: text += "\\r"
            case ASCII.lineFeed: text += "\\n"
            case 0x5C: text += "\\\\"
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}

extension Collection where Element == UInt8 {
    /// Whether the bytes are exactly those of `word`.
    func spells(_ word: StaticString) -> Bool {
        count == word.utf8CodeUnitCount && starts(with: word)
    }

    /// Whether the bytes begin with those of `word`.
    func starts(with word: StaticString) -> Bool {
        word.withUTF8Buffer { starts(with: $0) }
    }
}
