// SPDX-License-Identifier: MIT

/// Lines that are nearly commands, and bytes that are nothing at all.
///
/// Whole ones leave the connection at the beginning of a command; a damaged one may become a storage line that takes
/// what follows for its data.
public enum MalformedLines {
    /// One of them, in random choice.
    ///
    /// - Parameter key: a key that a line may name; it may be changed.
    public static func next(_ random: inout RandomSource, key: Bytes) -> Bytes {
        switch random.below(10) {
        case 0...4: return fill(random.pick(templates), key: key)
        case 5: return damage(fill(random.pick(damageable), key: key), &random)
        case 6, 7: return garbage(&random)
        default: return fill(random.pick(dataTemplates), key: key)
        }
    }

    /// All of them undamaged, with `K` for a key and `L` for one that is too long.
    package static var everyLine: [String] { templates + dataTemplates }

    /// Replaces `K` by the key and `L` by one a byte too long.
    package static func fill(_ template: String, key: Bytes) -> Bytes {
        var line: Bytes = []
        for byte in template.utf8 {
            switch byte {
            case UInt8(ascii: "K"): line.append(contentsOf: key)
            case UInt8(ascii: "L"): line.append(contentsOf: Bytes(repeating: UInt8(ascii: "l"), count: Limits.keyLength + 1))
            default: line.append(byte)
            }
        }
        return line
    }

    /// Lines without data. None changes what a number key holds, but for its expiry.
    static let templates = [
        "\r\n", "\n", "a\r\n", "ab\r\n", "abc\n", " \r\n", "    \r\n", "\t\t\t\r\n",
        "get\r\n", "gets\r\n", "get \r\n", "gat 0\r\n", "gat\r\n", "GET K\r\n", "get\tK\r\n", " get K\r\n",
        "get  K  K \r\n", "get K\n", "gets K\n", "gat x K\r\n", "gat -1x K\r\n", "gat 99999999999 K\r\n", "get L\r\n", "get K L\r\n",
        "set\r\n", "set K\r\n", "set K 0\r\n", "set K 0 0\r\n", "set K 0 0 -1\r\n", "set K 0 0 2147483647\r\n",
        "set K 0 0 99999999999\r\n", "set K 0 0 x\r\n", "add K 0 0 1x\r\n", "cas K 0 0\r\n", "append K 0 0 +1\r\n",
        "delete\r\n", "delete K 1 2 3\r\n", "delete L\r\n", "incr\r\n", "incr K\r\n", "incr K -1\r\n", "incr K x\r\n", "decr K 1x\r\n",
        "incr K 18446744073709551616\r\n", "incr L 1\r\n", "decr K +1\r\n", "incr K 00000000000000000000001\r\n", "incr K noreply\r\n",
        "touch\r\n", "touch K\r\n", "touch K x\r\n", "touch K 4294967296\r\n", "touch L 0\r\n", "touch K noreply\r\n",
        "flush_all x\r\n", "flush_all noreply 1\r\n", "verbosity\r\n", "verbosity x\r\n", "verbosity noreply\r\n",
        "verbosity 0 1 2\r\n", "version x y\r\n", "nonsense noreply\r\n", "nonsense K 1\r\n", "shutdown x\r\n", "stats nonsense\r\n",
        "mg\r\n", "mg \r\n", "mg L\r\n", "mg K z\r\n", "mg K v v\r\n", "mg K {\r\n", "mg K 5\r\n", "mg K !\r\n", "mg K T\r\n",
        "mg K Tx z\r\n", "mg ! b\r\n", "mg AAA b\r\n", "mg K Oyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", "mx K\r\n", "mgg K\r\n",
        "mg K 1 2 3 4 5 6 7 8 9 a b c d e f g h i j\r\n", "mg K a b c d e f g h i j k l m n o p q r s t u v w x y z\r\n",
        "ms\r\n", "ms K\r\n", "ms K x\r\n", "ms K -1\r\n", "ms K 2147483646\r\n", "ms K S2\r\n", "md\r\n", "md L\r\n", "md K z\r\n", "md K Cx\r\n",
        "ma\r\n", "ma K z\r\n", "ma K Dx\r\n", "ma K MZ\r\n", "ma L\r\n", "me\r\n", "me L\r\n", "me ! b x\r\n", "mn x y\r\n", "mn\n", "  mn\r\n",
        "mg K F\r\n", "mg K Fx Tx\r\n", "mg K Tx F\r\n", "mg K M\r\n", "me K v\r\n", "me K b x\r\n", "mg  K   v\r\n", "mg K s t\n",
        "quitx\r\n", "setx K 0 0 1\r\n", "getx K\r\n", "incrdecr K 1\r\n", "touchdelete K\r\n", "\u{1}\u{2}\u{3}\u{4}\r\n",
    ]

    /// Damage must not make a command of a line that reaches beyond its key.
    private static let damageable = templates.filter { !$0.contains("flush_all") && !$0.contains("shutdown") }

    /// Storage lines that are refused or wrong, with their data.
    static let dataTemplates = [
        "set L 0 0 2\r\nab\r\n", "set K x 0 2\r\nab\r\n", "set K 0 x 2\r\nab\r\n", "set K -1 0 2\r\nab\r\n",
        "set K 0 99999999999999999999 2\r\nab\r\n", "cas K 0 0 2\r\nab\r\n", "cas K 0 0 2 x\r\nab\r\n",
        "cas K 0 0 2 -1\r\nab\r\n", "cas K 0 0 2 noreply\r\nab\r\n", "set L 0 0 2 noreply\r\nab\r\n",
        "set K 0 0 2\r\nabc\r\n", "set K 0 0 2\r\nabcdef\r\n", "set K 0 0 3\r\na\n\n\n\n", "add K 0 0 2 noreply\r\nabcd\r\n",
        "ms K 2 z\r\nab\r\n", "ms L 2\r\nab\r\n", "ms K 2 MZ\r\nab\r\n", "ms K 2 M\r\nab\r\n", "ms K 2 F\r\nab\r\n", "ms K 2 T T\r\nab\r\n",
        "ms K 2 q\r\nabc\r\n", "ms K 2\r\nabcdef\r\n", "ms ! 2 b\r\nab\r\n", "ms K 2 Oyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nab\r\n",
        "append K 0 0 1\r\nxyz\n", "set K 0 0 2 noreply\r\nabc\r\n",
    ]

    private static func damage(_ line: Bytes, _ random: inout RandomSource) -> Bytes {
        var damaged = line
        guard damaged.count > 4 else { return damaged }
        let place = random.below(damaged.count - 2)
        switch random.below(3) {
        case 0: damaged[place] = harmless(&random)
        case 1: damaged.remove(at: place)
        default: damaged.insert(harmless(&random), at: place)
        }
        return damaged
    }

    private static func garbage(_ random: inout RandomSource) -> Bytes {
        // The first byte of a connection chooses the protocol; 0x80 is the binary one's.
        [UInt8(ascii: "?")] + (0..<random.below(200)).map { _ in harmless(&random) } + Bytes("\r\n")
    }

    /// Any byte but those that end a line (1.6.18: a zero does).
    private static func harmless(_ random: inout RandomSource) -> UInt8 {
        let byte = UInt8(1 + random.below(255))
        return byte == ASCII.lineFeed || byte == ASCII.carriageReturn ? UInt8(ascii: "#") : byte
    }
}
