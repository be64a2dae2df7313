// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Scenario {
    static let storing: [Scenario] = [
        Scenario("set", "set stores and replaces value and flags") { stage in
            for flags: UInt32 in [0, 1, 65535, 65536, .max] {
                try stage.run(stage.store(.set, "a", "v\(flags)", expiry: 0), stage.get("a"))
                try stage.run(stage.store(.set, "a", Bytes("w"), flags: flags), stage.get("a"))
            }
            try stage.run(stage.store(.set, "empty", ""), stage.get("empty"))
        },
        Scenario("every-byte", "a value holds every byte, and protocol words") { stage in
            try stage.run(stage.store(.set, "a", (0...255).map { UInt8($0) }), stage.get("a"))
            try stage.run(stage.store(.set, "a", "END\r\nVALUE x 0 1\r\n\0"), stage.get("a"), stage.gets("a"))
        },
        Scenario("add", "add stores only what isn't there") { stage in
            try stage.run(stage.store(.add, "a", "1"), stage.store(.add, "a", "2"), stage.get("a"))
            try stage.run(.delete(key: stage.key("a")), stage.store(.add, "a", "3"), stage.get("a"))
        },
        Scenario("replace", "replace stores only what is there") { stage in
            try stage.run(stage.store(.replace, "a", "1"), stage.get("a"))
            try stage.run(stage.store(.set, "a", "2"), stage.store(.replace, "a", "3"), stage.get("a"))
        },
        Scenario("append-prepend", "append and prepend join, keep flags and expiry, and need an item", needs: [.stream]) { stage in
            try stage.run(stage.store(.append, "a", "x"), stage.store(.prepend, "a", "x"), stage.get("a"))
            try stage.run(stage.store(.set, "a", Bytes("b"), flags: 5))
            try stage.run(stage.store(.append, "a", Bytes("c"), flags: 9), stage.store(.prepend, "a", Bytes("a"), flags: 9))
            try stage.run(stage.get("a"), stage.store(.append, "a", ""), stage.store(.prepend, "a", ""), stage.get("a"))
            let long = pattern(20_000)
            for _ in 0..<5 { try stage.run(stage.store(.append, "a", long), stage.store(.prepend, "a", long), stage.get("a")) }
        },
        Scenario("cas", "cas stores only over the unique it names") { stage in
            try stage.run(stage.store(.cas, "a", "1", unique: Step.unknownUnique), stage.get("a"))
            try stage.run(stage.store(.set, "a", "1"), stage.gets("a"))
            try stage.run(stage.store(.cas, "a", "2", unique: Step.unknownUnique), stage.store(.cas, "a", "2", unique: 0))
            try stage.run(stage.store(.cas, "a", "2", unique: Step.lastSeen), stage.store(.cas, "a", "3", unique: Step.lastSeen))
            try stage.run(stage.gets("a"), stage.store(.cas, "a", "4", unique: Step.lastSeen), stage.gets("a"))
        },
        Scenario("cas-changes", "whatever changes a value changes its unique, and nothing else does") { stage in
            try stage.run(stage.store(.set, "a", "1"), stage.gets("a"), stage.gets("a"))
            try stage.run(.touch(key: stage.key("a"), expiry: 1000), stage.gets("a"))
            try stage.run(.getAndTouch(expiry: 0, keys: [stage.key("a")], unique: true), stage.gets("a"))
            try stage.run(stage.store(.add, "a", "x"), stage.gets("a"), stage.store(.cas, "a", "x", unique: 0), stage.gets("a"))
            for command in [
                stage.store(.set, "a", "1"), stage.store(.append, "a", "1"), stage.store(.prepend, "a", "1"),
                stage.store(.replace, "a", "1"), stage.incr("a", 1), stage.decr("a", 1), stage.incr("a", 1_000_000),
            ] { try stage.run(command, stage.gets("a"), stage.store(.cas, "a", "5", unique: Step.lastSeen), stage.gets("a")) }
        },
        Scenario("cas-two-clients", "of two clients with the same unique one stores") { stage in
            try stage.run(stage.store(.set, "a", "0"), stage.gets("a"))
            try stage.run(stage.gets("a"), client: 1)
            try stage.run(stage.store(.cas, "a", "first", unique: Step.lastSeen))
            try stage.run(stage.store(.cas, "a", "second", unique: Step.lastSeen), stage.get("a"), client: 1)
        },
    ]

    static let retrieving: [Scenario] = [
        Scenario("get", "get gives hits in order, leaves misses out, and repeats what is asked twice") { stage in
            try stage.run(stage.store(.set, "a", "1"), stage.store(.set, "b", "2"))
            try stage.run(stage.get("a"), stage.get("x"), stage.get("b", "x", "a"), stage.get("a", "a"), stage.gets("x", "b"))
        },
        Scenario("gat", "gat and gats give values and change the expiry") { stage in
            let keys = ["a", "x", "b"].map(stage.key)
            try stage.run(stage.store(.set, "a", "1"), stage.store(.set, "b", "2", expiry: 1000))
            for expiry: Int32 in [0, 100, -1] {
                try stage.run(.getAndTouch(expiry: expiry, keys: keys, unique: false), stage.get("a", "b"))
                try stage.run(.getAndTouch(expiry: expiry, keys: keys, unique: true), stage.get("a", "b"))
            }
        },
        Scenario("keys", "keys are up to 250 bytes of anything but space and line end") { stage in
            let longest = stage.prefix + Bytes(repeating: 0x79, count: Limits.keyLength - stage.prefix.count)
            let odd = stage.prefix + [0x01, 0x09, 0x7F, 0x80, 0xC3, 0xFF, 0x0D, 0x41]
            for key in [longest, odd, Bytes(longest.dropLast())] {
                try stage.run(.store(Store(.set, key: key, value: Bytes("v"))), .get(keys: [key], unique: true))
                try stage.run(.touch(key: key, expiry: 0), .delete(key: key), .get(keys: [key], unique: false))
            }
        },
        Scenario("multiget-10000", "a get of 10,000 keys", needs: [.stream]) { stage in
            let keys = (0..<10_000).map { stage.key("m\($0)") }
            try stage.pipeline(
                keys.enumerated().filter { $0.offset % 3 != 0 }.map {
                    Request(.store(Store(.set, key: $0.element, value: Bytes("value \($0.offset)"))), quiet: true)
                })
            try stage.run(.get(keys: keys, unique: false), .get(keys: keys.reversed(), unique: true))
            try stage.pipeline([Request(.get(keys: keys, unique: false)), Request(.version)], pieces: 1000)
        },
        Scenario("pipeline-1000", "1,000 commands at once are answered in order", needs: [.stream]) { stage in
            try stage.pipeline(
                (0..<1000).map { index in
                    switch index % 4 {
                    case 0: Request(stage.store(.set, "p\(index % 40)", "v\(index)"))
                    case 1: Request(stage.get("p\((index - 1) % 40)"))
                    case 2: Request(.delete(key: stage.key("p\(index % 7)")))
                    default: Request(stage.get("p\(index % 40)", "none"))
                    }
                })
        },
    ]

    static let changing: [Scenario] = [
        Scenario("delete", "delete removes once") { stage in
            try stage.run(.delete(key: stage.key("a")), stage.store(.set, "a", "1"))
            try stage.run(.delete(key: stage.key("a")), .delete(key: stage.key("a")), stage.get("a"))
        },
        Scenario("incr-decr", "incr wraps at 64 bits, decr stops at zero, a missing key stays missing") { stage in
            try stage.run(stage.incr("n", 1), stage.decr("n", 1), stage.store(.set, "n", Bytes("10"), flags: 7))
            try stage.run(stage.incr("n", 0), stage.incr("n", 90), stage.get("n"), stage.decr("n", 1), stage.get("n"))
            try stage.run(stage.decr("n", 1000), stage.get("n"), stage.incr("n", 1 << 62), stage.get("n"), stage.decr("n", 5), stage.get("n"))
            guard stage.readsHugeNumbers else { return }
            try stage.run(stage.store(.set, "n", "0"), stage.incr("n", .max), stage.get("n"), stage.incr("n", 2), stage.get("n"))
            try stage.run(stage.decr("n", .max), stage.incr("n", .max), stage.decr("n", .max), stage.get("n"))
        },
        Scenario("incr-length", "a number keeps its length, with spaces, until it needs more") { stage in
            for start in ["100", "007", "5    ", "18446744073709551615", "9", "0"] where start.count < 19 || stage.readsHugeNumbers {
                try stage.run(stage.store(.set, "n", start))
                for command in [stage.decr("n", 1), stage.incr("n", 2), stage.incr("n", 99), stage.decr("n", 50)] {
                    try stage.run(command, stage.get("n"))
                }
            }
        },
        Scenario("incr-text", "what isn't a number isn't changed", needs: [.stream]) { stage in
            for text in ["", "a", "12a", "-1", "18446744073709551616", "99999999999999999999", "1.5", "0x1", "a1"] {
                try stage.run(stage.store(.set, "n", text), stage.incr("n", 1), stage.decr("n", 1), stage.get("n"))
            }
            for number in ["1 a", "+1", " 1", "1\t", "1\0a"] {
                try stage.run(stage.store(.set, "n", number), stage.incr("n", 1), stage.get("n"))
            }
            try stage.run(stage.store(.set, "n", Bytes("1") + Bytes(repeating: 0x20, count: 599_999)), stage.incr("n", 1))
        },
        Scenario("touch", "touch changes the expiry of what is there") { stage in
            try stage.run(.touch(key: stage.key("a"), expiry: 10), stage.store(.set, "a", "1"))
            try stage.run(.touch(key: stage.key("a"), expiry: 1000), stage.get("a"), .touch(key: stage.key("a"), expiry: 0), stage.get("a"))
            try stage.run(.touch(key: stage.key("a"), expiry: -1), stage.get("a"), .touch(key: stage.key("a"), expiry: 10))
        },
        Scenario("noreply", "noreply silences every command, and its refusals", needs: [.stream]) { stage in
            let quiet = stage.key("q")
            for mode in StoreMode.allCases {
                try stage.pipeline([Request(stage.store(mode, "q", "12", unique: Step.unknownUnique), quiet: true), Request(stage.gets("q"))])
            }
            for command: Command in [
                stage.incr("q", 5), stage.decr("q", 2), .touch(key: quiet, expiry: 0), .delete(key: quiet), .delete(key: quiet),
                stage.incr("q", 1), .touch(key: quiet, expiry: 0), .verbosity(0),
            ] { try stage.pipeline([Request(command, quiet: true), Request(stage.get("q"))]) }
            try stage.pipeline([Request(stage.store(.set, "q", pattern(1 << 20)), quiet: true), Request(stage.get("q"))])
            try stage.raw("set K 0 0 2 noreply\r\nabcd\r\n")
            try stage.raw("incr K x noreply\r\ntouch K x noreply\r\nset K x 0 1 noreply\r\nv\r\nverbosity x noreply\r\n")
        },
    ]

    static let administrative: [Scenario] = [
        Scenario("version", "version answers, whatever follows it") { stage in
            try stage.run(.version)
            try stage.raw("version x y z\r\n")
        },
        Scenario("verbosity", "verbosity takes a number") { stage in
            try stage.run(Request(.verbosity(0)), Request(.verbosity(0), quiet: true))
            try stage.raw("verbosity x\r\n")
        },
        Scenario("quit", "quit ends the connection after the replies before it", needs: [.stream]) { stage in
            try stage.pipeline([Request(stage.store(.set, "a", "1")), Request(stage.get("a")), Request(.quit)])
            try stage.run(stage.get("a"), .quit)
            try stage.pipeline([Request(.quit), Request(stage.store(.set, "a", "2"))])
            try stage.run(stage.get("a"))
        },
        Scenario("shutdown-mode", "shutdown refuses what it doesn't know") { stage in
            // Only what a server with -A and one without refuse is sent.
            for line in ["shutdown nonsense", "shutdown x y", "shutdown now later"] { try stage.raw(line + "\r\n") }
        },
        Scenario("stats", "stats counts what was done", needs: [.alone]) { try $0.checkCounters() },
        Scenario("stats-kinds", "stats knows settings, items, slabs, and refuses what it doesn't know") { stage in
            try stage.run(stage.store(.set, "a", "1"))
            for word in ["settings", "items", "slabs"] where try stage.statistics(word).isEmpty {
                throw Stage.Finding(expected: "lines for stats \(word)", seen: "none")
            }
            try stage.raw("stats nonsense\r\n")
        },
        Scenario("flush", "flush_all removes everything that was there, and nothing that comes", needs: [.flushes]) { stage in
            for request in [Request(.flushAll(delay: 0)), Request(.flushAll(delay: 0), quiet: true), Request(.flushAll(delay: -1))] {
                try stage.run(stage.store(.set, "a", "1"), stage.store(.set, "b", "2"))
                try stage.run(request)
                try stage.run(stage.get("a", "b"), stage.store(.add, "a", "3"), stage.get("a"))
            }
            try stage.raw("flush_all x\r\n")
            try stage.raw("flush_all noreply 1\r\n")
            try stage.run(stage.get("a"))
        },
    ]
}
