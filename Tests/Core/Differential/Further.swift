// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// What random requests leave out: sizes at a limit, lines at a limit, delays, and numbers in strange dress.
struct Further {
    private let limits: [Int]
    private let flushes: Bool

    init(_ settings: CoreServer.Settings, flushes: Bool) {
        limits = [Int(settings.itemSize), Int(settings.chunkSize)]
        self.flushes = flushes
    }

    func next(_ random: inout RandomSource, _ requests: RandomRequests) -> Bytes {
        let key = requests.textKey(random.below(requests.options.texts))
        switch random.below(10) {
        case 0 where flushes && random.chance(30): return Bytes("flush_all \(random.pick(Self.delays))\r\n")
        case 1: return Bytes("\(random.pick(Self.lines))\r\n")
        case 2, 3: return keys(&random, requests)
        case 4: return lineAtLimit(&random, key)
        case 5: return valueAtLimit(&random, key)
        case 6: return strangeNumbers(&random, key)
        case 7: return deletion(&random, key)
        case 8: return absoluteExpiry(&random, key)
        case 9: return garbage(&random)
        default: return Bytes("get ") + key + Bytes("\r\n")
        }
    }

    private static let delays = ["1", "2", "3", "5", "60", "0", "-1", "2 noreply", "1700000060", "1600000000", "x"]
    private static let lines = [
        "stats reset", "stats res", "stats unheard_of", "shutdown", "shutdown graceful", "shutdown x", "verbosity 1",
        "verbosity 0 noreply", "GET / HTTP/1.1", "version", "  flush_all x", " verbosity 1", "quit", "get", "gat 1",
    ]

    /// A retrieval of many keys: its end is behind the first 2048 bytes, or just before.
    private func keys(_ random: inout RandomSource, _ requests: RandomRequests) -> Bytes {
        var line = Bytes(random.pick(["get", "gets", "gat 0", "gats 100", "gat 2", "gat x"]))
        let length = random.pick([200, 1900, 2040, 2048, 2060, 4000, 9000, 20000])
        let bad = random.chance(30) ? random.below(length) : Int.max
        var isBad = false
        while line.count < length {
            line += Bytes(repeating: 0x20, count: random.chance(3) ? 1 + random.below(2100) : 1)
            if !isBad, line.count > bad {
                line += Bytes(repeating: 0x6C, count: 251 + random.below(3) * random.below(3000))
                isBad = true
            } else {
                line += requests.textKey(random.below(requests.options.texts))
            }
        }
        return line + Bytes(random.pick(["\r\n", "\n", " \r\n"]))
    }

    /// A line of about as many bytes as may come without an end.
    private func lineAtLimit(_ random: inout RandomSource, _ key: Bytes) -> Bytes {
        let name = Bytes(random.pick(["delete ", "touch ", "incr ", "get ", "gat 0 ", "stats ", "nonsense ", "add "]))
        let line = name + key + Bytes(random.pick([" 0", " 1", " 0 0 2"]))
        let length = 2040 + random.below(12)
        return line + Bytes(repeating: 0x20, count: max(0, length - line.count)) + Bytes("\r\n")
    }

    /// A value that makes an item just as large as it may be, or a little larger or smaller.
    private func valueAtLimit(_ random: inout RandomSource, _ key: Bytes) -> Bytes {
        let flags: UInt32 = random.pick([0, 7])
        let length = max(0, random.pick(limits) - ReferenceCache.size(key: key, flags: flags, length: 0) + random.below(5) - 2)
        let mode = random.pick(["set", "set", "add", "replace", "append", "prepend"])
        // A number, so that `incr` meets it: one that is in chunks is none.
        let value = Bytes("17") + Bytes(repeating: 0x20, count: max(0, length - 2))
        return Bytes("\(mode) ") + key + Bytes(" \(flags) 0 \(value.count)\r\n") + value + Bytes("\r\n")
    }

    private static let numbers = [
        "+1", "-0", "-1", "\t7", "00012", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616",
        "-18446744073709551615", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1\t", "7x", "--1",
        "-", "+", "1\u{0}x", "\u{B}3", "00000000000000000000000000012",
    ]

    private func strangeNumbers(_ random: inout RandomSource, _ key: Bytes) -> Bytes {
        let number = random.pick(Self.numbers)
        switch random.below(5) {
        case 0: return Bytes("set ") + key + Bytes(" \(number) 0 2\r\nab\r\n")
        case 1: return Bytes("set ") + key + Bytes(" 0 \(number) 2\r\nab\r\n")
        case 2: return Bytes("cas ") + key + Bytes(" 0 0 2 \(number)\r\nab\r\n")
        case 3: return Bytes("set ") + key + Bytes(" 0 0 \(number.utf8.count)\r\n\(number)\r\nincr ") + key + Bytes(" 1\r\n")
        default: return Bytes("\(random.pick(["incr", "touch", "gat", "flush_all", "verbosity"])) ") + key + Bytes(" \(number)\r\n")
        }
    }

    private func deletion(_ random: inout RandomSource, _ key: Bytes) -> Bytes {
        let rest = ["", " 0", " 0 noreply", " noreply", " 1", " 5 noreply", " a b", " a b c", " 0 0 noreply", " a b c d e"]
        return Bytes("delete ") + key + Bytes("\(random.pick(rest))\r\n")
    }

    private func absoluteExpiry(_ random: inout RandomSource, _ key: Bytes) -> Bytes {
        let time = 1_700_000_000 + random.below(200)
        if random.chance(50) { return Bytes("touch ") + key + Bytes(" \(time)\r\n") }
        return Bytes("set ") + key + Bytes(" 3 \(time) 5\r\nuntil\r\n")
    }

    private func garbage(_ random: inout RandomSource) -> Bytes {
        (0..<random.below(300)).map { _ in UInt8(random.below(256)) } + Bytes("\r\n")
    }
}
