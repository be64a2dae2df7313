// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Stage {
    /// One binary request. `unique` is symbolic, as in a ``Step``.
    func frame(_ code: UInt8, _ name: String = "", _ extras: Bytes = [], _ value: String = "", unique: UInt64 = 0) throws {
        try perform([frameStep(code, name, extras, value, unique: unique)])
    }

    func frameStep(
        _ code: UInt8, _ name: String = "", _ extras: Bytes = [], _ value: String = "", unique: UInt64 = 0, pieces: Int? = nil,
        waits: Bool = true
    ) -> Step {
        let frame = BinaryFrame(
            code, extras: extras, key: name.isEmpty ? [] : key(name), value: Bytes(value), opaque: 0x1234_5600 + UInt32(code), unique: unique)
        return Step(.frame(frame), client: Step.firstBinaryClient, waits: waits, pieces: pieces)
    }

    /// Bytes on a binary connection.
    func binaryRaw(_ bytes: Bytes, pieces: Int? = nil) throws {
        try perform([Step(.raw(bytes), client: Step.firstBinaryClient, pieces: pieces)])
    }

    static func flags(_ flags: UInt32, _ expiry: UInt32) -> Bytes {
        var extras: Bytes = []
        extras.append(bigEndian: flags)
        extras.append(bigEndian: expiry)
        return extras
    }

    static func numbers(_ delta: UInt64, _ initial: UInt64, _ expiry: UInt32) -> Bytes {
        var extras: Bytes = []
        extras.append(bigEndian: delta)
        extras.append(bigEndian: initial)
        extras.append(bigEndian: expiry)
        return extras
    }

    static func time(_ expiry: UInt32) -> Bytes {
        var extras: Bytes = []
        extras.append(bigEndian: expiry)
        return extras
    }
}

extension Scenario {
    static let binary: [Scenario] = [
        Scenario("binary-get", "get, getq, getk and getkq: hits with flags, misses that the quiet ones don't tell") { stage in
            try stage.frame(0x01, "a", Stage.flags(0xDEAD_BEEF, 0), "value")
            try stage.frame(0x01, "empty", Stage.flags(0, 0))
            for code: UInt8 in [0x00, 0x09, 0x0C, 0x0D] { for name in ["a", "empty", "none"] { try stage.frame(code, name) } }
            try stage.run(stage.get("a"), stage.store(.set, "text", Bytes("t"), flags: 5))
            try stage.frame(0x0C, "text")
        },
        Scenario("binary-store", "set, add, replace and their quiet forms, with a unique and without") { stage in
            for (loud, quiet) in [(0x01, 0x11), (0x02, 0x12), (0x03, 0x13)] as [(UInt8, UInt8)] {
                for code in [loud, quiet] {
                    try stage.run(.delete(key: stage.key("a")))
                    try stage.frame(code, "a", Stage.flags(1, 0), "one")
                    try stage.frame(code, "a", Stage.flags(2, 1000), "two", unique: Step.unknownUnique)
                    try stage.frame(0x01, "a", Stage.flags(3, 0), "three")
                    try stage.frame(code, "a", Stage.flags(4, 0), "four", unique: Step.lastSeen)
                    try stage.frame(code, "a", Stage.flags(5, 0), "five", unique: Step.unknownUnique)
                    try stage.frame(code, "a", Stage.flags(6, 0), "six")
                    try stage.frame(0x00, "a")
                }
            }
        },
        Scenario("binary-append", "append, prepend and their quiet forms need an item, and heed a unique") { stage in
            for code: UInt8 in [0x0E, 0x0F, 0x19, 0x1A] {
                try stage.run(.delete(key: stage.key("a")))
                try stage.frame(code, "a", [], "x")
                try stage.frame(0x01, "a", Stage.flags(7, 1000), "m")
                for unique in [Step.lastSeen, Step.unknownUnique, 0] { try stage.frame(code, "a", [], "xy", unique: unique) }
                try stage.frame(code, "a", [], "")
                try stage.frame(0x00, "a")
            }
        },
        Scenario("binary-delete", "delete and deleteq, of what is there and what isn't, with a unique") { stage in
            for code: UInt8 in [0x04, 0x14] {
                try stage.frame(0x01, "a", Stage.flags(0, 0), "1")
                for unique in [Step.unknownUnique, Step.lastSeen, 0] { try stage.frame(code, "a", unique: unique) }
                try stage.frame(0x00, "a")
            }
        },
        Scenario("binary-count", "increment and decrement begin, count, wrap and refuse") { stage in
            for (code, name) in [(0x05, "n"), (0x06, "n"), (0x15, "m"), (0x16, "m")] as [(UInt8, String)] {
                try stage.run(.delete(key: stage.key(name)))
                try stage.frame(code, name, Stage.numbers(3, 9, .max))
                try stage.frame(code, name, Stage.numbers(3, 9, 1000))
                for delta: UInt64 in [0, 3, 1_000_000] { try stage.frame(code, name, Stage.numbers(delta, 0, 0)) }
                try stage.frame(code, name, Stage.numbers(1, 0, 0), unique: Step.unknownUnique)
                try stage.frame(0x00, name)
                try stage.frame(0x01, "text", Stage.flags(0, 0), "abc")
                try stage.frame(code, "text", Stage.numbers(1, 0, 0))
            }
        },
        Scenario("binary-touch", "touch, gat, gatq, gatk and gatkq change the time") { stage in
            for code: UInt8 in [0x1C, 0x1D, 0x1E, 0x23, 0x24] {
                try stage.frame(0x01, "a", Stage.flags(8, 0), "value")
                for name in ["a", "none"] { for expiry: UInt32 in [1000, 0] { try stage.frame(code, name, Stage.time(expiry)) } }
                try stage.meta(.get, "a", "t v f")
                try stage.frame(code, "a", Stage.time(500))
                try stage.meta(.get, "a", "t v f")
            }
        },
        Scenario("binary-admin", "noop, version, an empty stat group, verbosity and what isn't known") { stage in
            for code: UInt8 in [0x0A, 0x0B, 0x0A] { try stage.frame(code) }
            for code: UInt8 in [0x1B, 0x1F, 0x25, 0x30, 0x40, 0x7F, 0x80, 0xFF] { try stage.frame(code) }
        },
        Scenario("binary-stat", "stat sends rows and an empty one; an unknown group is not found") { stage in
            for group in ["", "settings", "items", "slabs"] { try stage.checkRows(group) }
            let nothing = BinaryFrame(0x10, key: Bytes("nothing of that name"), opaque: 9)
            try stage.perform([Step(.frame(nothing), client: Step.firstBinaryClient)])
        },
        Scenario("binary-flush", "flush and flushq, with a time and without", needs: [.flushes]) { stage in
            for code: UInt8 in [0x08, 0x18] {
                for extras in [[], Stage.time(0)] {
                    try stage.frame(0x01, "a", Stage.flags(0, 0), "1")
                    try stage.frame(code, "", extras)
                    try stage.frame(0x00, "a")
                }
            }
        },
        Scenario("binary-quiet", "a pipeline of quiet requests is answered where there is something to tell", needs: [.stream]) { stage in
            try stage.run(.delete(key: stage.key("none")))
            func steps(_ pieces: Int?) -> [Step] {
                [
                    (0x11, "a", Stage.flags(1, 0), "1"), (0x09, "a", [], ""), (0x09, "none", [], ""), (0x0D, "none", [], ""), (0x0D, "a", [], ""),
                    (0x12, "a", Stage.flags(1, 0), "2"), (0x13, "none", Stage.flags(1, 0), "2"), (0x19, "a", [], "3"), (0x1A, "none", [], "3"),
                    (0x15, "n", Stage.numbers(1, 5, 0), ""), (0x15, "n", Stage.numbers(1, 5, 0), ""), (0x16, "none", Stage.numbers(1, 5, .max), ""),
                    (0x14, "none", [], ""), (0x1E, "a", Stage.time(100), ""), (0x24, "none", Stage.time(100), ""), (0x14, "a", [], ""),
                    (0x14, "n", [], ""), (0x0A, "", [], ""),
                ].map { stage.frameStep($0, $1, $2, $3, pieces: pieces, waits: false) }
            }
            for pieces in [nil, 1, 5, 24, 31] { try stage.perform(steps(pieces)) }
        },
        Scenario("binary-quit", "quit is answered and ends the connection, quitq only ends it", needs: [.stream]) { stage in
            for code: UInt8 in [0x07, 0x17] {
                try stage.frame(0x01, "a", Stage.flags(0, 0), "1")
                try stage.frame(code)
                try stage.frame(0x00, "a")
            }
        },
        Scenario("binary-extras", "extras, key or value that aren't the opcode's are refused", needs: [.stream]) { stage in
            for opcode in BinaryOpcode.all {
                for length in [0, 1, 3, 4, 8, 19, 20, 21, 24] {
                    for key in [[], stage.key("k")] {
                        let frame = BinaryFrame(opcode.code, extras: Bytes(repeating: 0, count: length), key: key, opaque: 5)
                        let bytes = frame.encoded(BinaryFrame.requestMagic)
                        // Only what ends the connection leaves nothing to the next request.
                        if stage.isRefused(bytes) { try stage.binaryRaw(bytes) }
                    }
                }
            }
        },
        Scenario("binary-header", "lengths that contradict each other, and keys and bodies that are too long", needs: [.stream]) { stage in
            let whole = BinaryFrame(0x00, key: stage.key("k"), opaque: 7).encoded(BinaryFrame.requestMagic)
            func changed(_ place: Int, _ bytes: Bytes) -> Bytes { Bytes(whole[..<place]) + bytes + whole[(place + bytes.count)...] }
            for bytes in [
                changed(2, [0x00, 0xFF]), changed(2, [0xFF, 0xFF]), changed(4, [0xFF]), changed(8, [0x7F, 0xFF, 0xFF, 0xFF]),
                changed(8, [0xFF, 0xFF, 0xFF, 0xFF]), changed(8, [0, 0, 0, 1]), changed(8, [0x40, 0, 0, 1]),
                BinaryFrame(0x00, key: Bytes(repeating: 0x6B, count: 251)).encoded(BinaryFrame.requestMagic),
            ] where stage.isRefused(bytes) { for pieces in [nil, 1] { try stage.binaryRaw(bytes, pieces: pieces) } }
        },
        Scenario("binary-too-large", "a value beyond the limit is refused, thrown away, and set forgets the old", needs: [.defaultItemSize, .stream]) {
            stage in
            let large = String(repeating: "x", count: 1_100_000)
            for code: UInt8 in [0x01, 0x02, 0x03, 0x11] {
                try stage.frame(0x01, "a", Stage.flags(0, 0), "old")
                try stage.frame(code, "a", Stage.flags(0, 0), large)
                try stage.frame(0x00, "a")
            }
        },
    ]
}
