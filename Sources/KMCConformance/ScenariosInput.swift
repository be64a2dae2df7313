// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Scenario {
    static let badInput: [Scenario] = [
        Scenario("malformed-lines", "each nearly right line gets memcached's own words") { stage in
            try stage.run(stage.store(.set, "k", "v"))
            for line in MalformedLines.everyLine where !line.contains("flush_all") {
                guard stage.isJudged(line) else { continue }
                try stage.raw(line)
                try stage.raw(line, pieces: 1)
                try stage.run(stage.get("k"))
            }
        },
        Scenario("oversized-line", "a line without an end closes the connection, a get may go on") { stage in
            try stage.raw(String(repeating: "x", count: 2000) + "\r\n")
            try stage.raw(String(repeating: "x", count: 20_000))
            try stage.raw("set " + String(repeating: "x", count: 40_000))
            // kmemcache takes the keys of gat as they come, too; memcached gives up before the line has an end.
            let end = stage.executor.target.dialect.streamsLongLines ? "\r\n" : ""
            try stage.raw("gat 0 " + String(repeating: "x ", count: 10_000) + end)
            try stage.raw("get" + String(repeating: " K", count: 4000) + "\r\n")
            try stage.raw("gets" + String(repeating: " K", count: 4000) + "\r\n", pieces: 500)
        },
        Scenario("long-key", "a key of 251 bytes is refused everywhere, and its data thrown away") { stage in
            for line in ["get L\r\n", "get K L K\r\n", "gat 0 L\r\n", "delete L\r\n", "incr L 1\r\n", "touch L 0\r\n"] {
                try stage.raw(line)
            }
            for word in ["set", "add", "replace", "append", "prepend"] { try stage.raw("\(word) L 0 0 2\r\nab\r\n") }
            try stage.raw("cas L 0 0 2 1\r\nab\r\n")
            try stage.run(stage.store(.set, "k", "v"), stage.get("k"))
            try stage.raw("get K L\r\n")
        },
        Scenario("numbers", "negative, overflowing and senseless numbers") { stage in
            try stage.run(stage.store(.set, "k", "5"))
            for flags in ["-1", "4294967295", "4294967296", "4294967297", "18446744073709551616", "x", "1x", "+1"] {
                try stage.raw("set K \(flags) 0 1\r\n5\r\n")
                try stage.run(stage.get("k"))
            }
            for expiry in ["-1", "x", "99999999999999999999", "-99999999999999999999", "4294967296", "+5"] {
                try stage.raw("set K 0 \(expiry) 1\r\n5\r\n")
                try stage.run(stage.get("k"))
            }
            for delta in ["-1", "x", "1x", "18446744073709551615", "18446744073709551616", "99999999999999999999999"] {
                try stage.raw("incr K \(delta)\r\ndecr K \(delta)\r\n")
            }
            for length in ["-1", "-2147483648", "2147483647", "99999999999999999999", "x"] { try stage.raw("set K 0 0 \(length)\r\n") }
            for unique in ["-1", "x", "18446744073709551616"] { try stage.raw("cas K 0 0 1 \(unique)\r\n5\r\n") }
        },
        Scenario("wrong-length", "a value longer or shorter than announced is a bad data chunk, and is not stored") { stage in
            try stage.run(stage.store(.set, "k", "old"))
            for data in ["set K 0 0 3\r\nabcd\r\n", "set K 0 0 3\r\nabcdefgh\r\n", "set K 0 0 5\r\nabc\r\nab\r\n", "set K 0 0 0\r\nx\r\n\r\n"] {
                try stage.raw(data)
                try stage.run(stage.get("k"))
            }
            try stage.raw("set K 0 0 8\r\nabc\r\nget K\r\n")
            try stage.raw("set K 0 0 70000\r\n" + String(repeating: "y", count: 70_002) + "\r\n")
            try stage.raw("set K 0 0 600000\r\n" + String(repeating: "y", count: 600_002) + "\r\n")
            try stage.run(stage.get("k"))
        },
        Scenario("cut-off", "a client that leaves in the middle of a command changes nothing") { stage in
            try stage.run(stage.store(.set, "k", "old"), client: 1)
            let whole = MalformedLines.fill("set K 0 0 10\r\n0123456789\r\n", key: stage.key("k"))
            for length in [1, 3, 10, whole.count - 14, whole.count - 12, whole.count - 5, whole.count - 2, whole.count - 1] {
                try stage.perform([Step(.leave(Bytes(whole.prefix(length))))])
                try stage.run(stage.get("k"), client: 1)
            }
            let large = MalformedLines.fill("set K 0 0 900000\r\n", key: stage.key("k")) + pattern(500_000)
            try stage.perform([Step(.leave(large))])
            try stage.run(stage.get("k"), client: 1)
        },
        Scenario("garbage", "bytes that are no commands are refused or close, and hurt nobody") { stage in
            try stage.run(stage.store(.set, "k", "v"), client: 1)
            var random = RandomSource(seed: 99)
            for length in [10, 100, 1000, 1900] {
                let line = [0x3F] + pattern(length, seed: UInt64(length)).map { $0 == 0x0A || $0 == 0 ? 0x2E : $0 } + Bytes("\r\n")
                try stage.perform([Step(.raw(line)), Step(.raw(line), pieces: 1 + random.below(50))])
            }
            let endless = [0x3F] + pattern(100_000).map { $0 == 0x0A || $0 == 0 ? 0x2E : $0 }
            try stage.perform([Step(.raw(endless))])
            try stage.raw("GET / HTTP/1.1\r\n")
            try stage.raw("POST /x HTTP/1.0\r\n")
            try stage.run(stage.get("k"), client: 1)
        },
        Scenario("drip", "commands that arrive byte by byte") { stage in
            let requests = [
                Request(stage.store(.set, "a", "one\r\ntwo")), Request(stage.gets("a", "none")), Request(stage.store(.set, "n", "7"), quiet: true),
                Request(stage.incr("n", 5)), Request(.delete(key: stage.key("a"))), Request(stage.get("a", "n")), Request(.version),
            ]
            for pieces in [1, 2, 3, 7] { try stage.pipeline(requests, pieces: pieces) }
        },
    ]

    static let manyBytes: [Scenario] = [
        Scenario("sizes", "values around every size where something changes", needs: [.defaultItemSize]) { stage in
            let around = [64, 1024, 2048, 4096, 16384, 65536, 131_072, 262_144, 524_288]
            let sizes = around.flatMap { [$0 - 60, $0 - 1, $0, $0 + 1] } + [900_000, (1 << 20) - 1024]
            for size in sizes {
                let value = pattern(size, seed: UInt64(size))
                try stage.run(stage.store(.set, "s", value), stage.get("s"))
                try stage.pipeline([Request(stage.store(.set, "s", value)), Request(stage.gets("s"))], pieces: max(1, size / 7))
            }
        },
        Scenario("too-large", "a value beyond the limit is refused, its data thrown away, and set forgets the old", needs: [.defaultItemSize]) { stage in
            for size in [1 << 20, (1 << 20) + 1, 2_000_000, 5_000_000] {
                for mode in [StoreMode.set, .add, .replace, .append, .prepend, .cas] {
                    try stage.run(stage.store(.set, "a", "old"), stage.store(mode, "a", pattern(size)), stage.get("a"))
                }
            }
            try stage.pipeline([Request(stage.store(.set, "a", pattern(2_000_000)), quiet: true), Request(stage.get("a"))])
        },
        Scenario("append-too-large", "append beyond the limit stores nothing and keeps the item", needs: [.defaultItemSize]) { stage in
            try stage.run(stage.store(.set, "a", pattern(700_000)), stage.store(.append, "a", pattern(500_000)), stage.get("a"))
            try stage.run(stage.store(.prepend, "a", pattern(500_000)), stage.get("a"))
        },
        Scenario("chunked", "chunked values are joined, replaced and read in pieces", needs: [.defaultItemSize]) { stage in
            let large = pattern(600_000, seed: 5)
            try stage.run(stage.store(.set, "c", large), stage.store(.append, "c", pattern(100_000, seed: 6)), stage.get("c"))
            try stage.run(stage.store(.prepend, "c", pattern(90_000, seed: 7)), stage.get("c", "c", "c"), stage.gets("c"))
            try stage.run(stage.store(.cas, "c", large, unique: Step.lastSeen), stage.get("c"), stage.store(.set, "c", "small"), stage.get("c"))
        },
        Scenario("slow-reader", "a client that doesn't read holds up nobody else") { stage in
            try stage.run(stage.store(.set, "a", pattern(200_000)))
            let request = Request(.get(keys: [stage.key("a")], unique: false))
            let requests = [Request](repeating: request, count: 200).flatMap { TextCodec().encode($0) }
            let idler = try Client(stage.executor.target, stage.executor.model)
            guard idler.sendWithoutReading(requests) > 0 else { throw Stage.Finding(expected: "bytes taken", seen: "none") }
            for index in 0..<50 { try stage.run(stage.store(.set, "b", "\(index)"), stage.get("b"), client: 1) }
            try stage.pipeline([Request](repeating: request, count: 200), client: 2)
        },
        Scenario("silent-clients", "200 connections that say nothing") { stage in
            let idlers = try (0..<200).map { _ in try Client(stage.executor.target, stage.executor.model) }
            for index in 0..<20 { try stage.run(stage.store(.set, "a", "\(index)"), stage.get("a"), client: index) }
            withExtendedLifetime(idlers) {}
        },
    ]

    static let timed: [Scenario] = [
        Scenario("expiry", "expiry relative, absolute, past and by touch", needs: [.waits]) { stage in
            try stage.promptly {
                let now = Int32(wallClock())
                for (name, expiry) in [("ever", 0), ("long", 1000), ("short", stage.life), ("clock", now + 1000), ("soon", now + stage.life), ("month", 2_592_000)] as [(String, Int32)] {
                    try stage.run(stage.store(.set, name, name, expiry: expiry))
                }
                for (name, expiry) in [("past", -1), ("beyond", 2_592_001), ("gone", now - 1000), ("least", .min)] as [(String, Int32)] {
                    try stage.run(stage.store(.set, name, name, expiry: expiry), stage.get(name), stage.store(.replace, name, "x"))
                }
                try stage.run(stage.store(.set, "longer", "1", expiry: stage.life), .touch(key: stage.key("longer"), expiry: 1000))
                try stage.run(stage.store(.set, "shorter", "1"), .getAndTouch(expiry: stage.life, keys: [stage.key("shorter")], unique: false))
                try stage.run(stage.store(.set, "n", "1", expiry: stage.life), stage.incr("n", 1), stage.store(.set, "j", "1", expiry: stage.life), stage.store(.append, "j", "2"))
            }
            stage.outlive(stage.life)
            try stage.run(stage.get("ever", "long", "short", "clock", "soon", "month", "longer", "shorter", "n", "j"))
            try stage.run(stage.incr("n", 1), .touch(key: stage.key("short"), expiry: 5), stage.store(.replace, "soon", "x"), stage.store(.add, "j", "y"))
            try stage.run(.delete(key: stage.key("shorter")), stage.get("j"))
        },
        Scenario("flush-delay", "flush_all with a delay takes what is stored until then", needs: [.flushes, .waits]) { stage in
            try stage.promptly {
                try stage.run(stage.store(.set, "a", "1"), .flushAll(delay: stage.life + 1), stage.get("a"), stage.store(.set, "b", "2"), stage.get("b"))
            }
            stage.outlive(stage.life + 1)
            try stage.run(stage.get("a", "b"), stage.store(.set, "c", "3"), stage.get("c"), stage.store(.add, "a", "4"))
            // An immediate flush takes the place of one that isn't due.
            try stage.run(Request(.flushAll(delay: 2), quiet: true), Request(.flushAll(delay: 0)))
            try stage.run(stage.store(.set, "d", "5"))
            stage.wait(milliseconds: 3300)
            try stage.run(stage.get("a", "c", "d"))
        },
    ]

    static let filling: [Scenario] = [
        Scenario("eviction", "beyond the memory limit a get may miss but is never wrong", needs: [.evicts, .flushes]) { try $0.overfill() },
        Scenario("memory-full", "under -M stores are refused, and what is stored stays", needs: [.fills, .flushes]) { try $0.fillUp() },
    ]
}
