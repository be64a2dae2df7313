// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Stage {
    /// One meta command; with a flag `b` its key is sent in base64. `C1` stands for the unique last seen (``Step/lastSeen``).
    func meta(_ verb: MetaRequest.Verb, _ name: String, _ flags: String = "", value: String = "", client: Int = 0) throws {
        try perform([Step(metaRequest(verb, name, flags, value: value), client: client)])
    }

    func metaRequest(_ verb: MetaRequest.Verb, _ name: String, _ flags: String = "", value: String = "") -> Request {
        let request = MetaRequest(verb, key: key(name), flags, value: Bytes(value))
        guard request.has("b") else { return Request(.meta(request)) }
        return Request(.meta(MetaRequest(verb, key: Base64.encode(request.key), flags, value: Bytes(value))))
    }
}

extension Scenario {
    static let meta: [Scenario] = [
        Scenario("meta-get", "mg shows what each flag asks for, in the order of the flags, of a hit and of a miss") { stage in
            try stage.run(stage.store(.set, "a", Bytes("value"), flags: 77, expiry: 1000))
            let all = ["", "b", "c", "f", "h", "k", "l", "Oopaque", "q", "s", "t", "u", "v", "E9", "P", "L", "O"]
            for flag in all { for name in ["a", "none"] { try stage.meta(.get, name, flag) } }
            for flags in ["s v", "v s k O1 t f c", "c f t O1 k s v", "k b", "b k v", "q k O1", "q v", "u h", "P L v"] {
                for name in ["a", "none"] { try stage.meta(.get, name, flags) }
            }
            try stage.run(stage.store(.set, "empty", ""))
            try stage.meta(.get, "empty", "v s f t")
            try stage.run(stage.store(.set, "never", "1"))
            try stage.meta(.get, "never", "t v")
        },
        Scenario("meta-fetched", "h tells whether a client has read the item, and u leaves no trace of it") { stage in
            try stage.run(stage.store(.set, "a", "1"))
            for flags in ["h u", "h u", "h", "h", "u h"] { try stage.meta(.get, "a", flags) }
            try stage.run(stage.store(.set, "a", "2"))
            for flags in ["h", "h l"] { try stage.meta(.get, "a", flags) }
            try stage.run(stage.store(.set, "b", "2"), stage.get("b"))
            try stage.meta(.get, "b", "h")
            try stage.meta(.debug, "b")
            try stage.meta(.debug, "none")
        },
        Scenario("meta-touch", "T of mg changes the time, and counts as a touch") { stage in
            try stage.run(stage.store(.set, "a", "1"))
            for flags in ["t T500 t", "t", "T0 t", "v t", "T-1 v", "v"] { try stage.meta(.get, "a", flags) }
            try stage.meta(.get, "none", "T100")
        },
        Scenario("meta-vivify", "N of mg makes an item and one winner, until somebody stores it") { stage in
            try stage.meta(.get, "a", "N300 v s t c")
            for flags in ["N300 v", "v", "t"] { try stage.meta(.get, "a", flags, client: 1) }
            try stage.meta(.store, "a", "T0", value: "made")
            try stage.meta(.get, "a", "N300 v t")
        },
        Scenario("meta-recache", "R makes one winner while less time is left, and nobody of what never expires") { stage in
            try stage.run(stage.store(.set, "a", "1", expiry: 300), stage.store(.set, "never", "1"))
            for flags in ["R30 v", "R900 v", "R900 v", "v t"] { try stage.meta(.get, "a", flags) }
            try stage.meta(.get, "a", "R900", client: 1)
            try stage.meta(.get, "never", "R30 v")
            try stage.run(stage.store(.set, "a", "2", expiry: 300))
            try stage.meta(.get, "a", "v R30")
        },
        Scenario("meta-stale", "I of md makes an item stale: one wins, the others see that it is, an older ms stays stale") { stage in
            try stage.meta(.store, "a", "c T500", value: "old")
            try stage.meta(.get, "a", "c v")
            try stage.meta(.delete, "a", "I T300")
            for client in 0..<3 { try stage.meta(.get, "a", "c v t", client: client) }
            try stage.meta(.store, "a", "C1", value: "new")
            try stage.meta(.get, "a", "c v")
            for flags in ["I", "I C1", "q I", "I Oo k"] { try stage.meta(.delete, "a", flags) }
            try stage.meta(.get, "a", "v")
            try stage.meta(.store, "a", "I C2", value: "late")
            for _ in 0..<2 { try stage.meta(.get, "a", "v") }
            try stage.meta(.delete, "none", "I")
        },
        Scenario("meta-store", "ms stores in each mode, and shows what each flag asks for") { stage in
            for mode in ["", "ME", "MA", "MP", "MR", "MS"] {
                for flags in ["k Oo", "F9 T100 k c", "b k", "s", "q", "I", "P L", "N100"] {
                    try stage.run(.delete(key: stage.key("a")))
                    for value in ["one", "two"] { try stage.meta(.store, "a", "\(mode) \(flags)", value: value) }
                    try stage.meta(.get, "a", "v f t s")
                }
            }
            for mode in ["MZ", "M", "MEE"] { try stage.meta(.store, "a", mode, value: "x") }
            try stage.meta(.store, "a", "T-1", value: "gone")
            try stage.meta(.get, "a", "v")
        },
        Scenario("meta-unique", "C compares, E gives, c shows: of ms, md and ma") { stage in
            try stage.run(stage.store(.set, "a", "1"))
            for flags in ["C1", "C18446744073709551614", "C0"] { try stage.meta(.store, "a", flags, value: "2") }
            try stage.meta(.get, "a", "c v")
            try stage.meta(.store, "a", "C1 c", value: "3")
            try stage.meta(.store, "none", "C5", value: "3")
            for mode in ["MA", "MP", "MR", "ME"] {
                try stage.meta(.get, "a", "c v")
                for flags in ["C1", "C1"] { try stage.meta(.store, "a", "\(mode) \(flags)", value: "4") }
            }
            try stage.meta(.store, "e", "E3000000000005 c", value: "5")
            try stage.meta(.get, "e", "c")
            for flags in ["C18446744073709551614", "C1", "C1 q"] { try stage.meta(.delete, "e", flags) }
            try stage.meta(.store, "n", value: "5")
            try stage.meta(.get, "n", "c")
            for flags in ["C18446744073709551614 v", "C1 v c", "C0 v", "E4000000000077 c", "c"] { try stage.meta(.arithmetic, "n", flags) }
        },
        Scenario("meta-delete", "md removes, empties with x, and is quiet with q") { stage in
            for flags in ["", "q", "k Oo", "b k", "x", "x T100", "x E9 I", "T100", "P L", "F1", "v"] {
                try stage.run(stage.store(.set, "a", "1"))
                for _ in 0..<2 { try stage.meta(.delete, "a", flags) }
                try stage.meta(.get, "a", "v t s f")
            }
        },
        Scenario("meta-arithmetic", "ma counts up and down, begins with N and J, and shows what each flag asks for") { stage in
            for flags in ["", "MI", "M+", "MD", "M-", "D5 v", "MD D3 v", "v t c k Oo", "T100 v t", "q", "b k", "N60 J9 v", "P L"] {
                try stage.run(.delete(key: stage.key("n")))
                try stage.meta(.arithmetic, "n", flags)
                try stage.run(stage.store(.set, "n", "10"))
                for _ in 0..<2 { try stage.meta(.arithmetic, "n", flags) }
                try stage.run(stage.get("n"))
            }
            try stage.run(.delete(key: stage.key("n")))
            for flags in ["N60 v t", "N60 v", "N60 q v", "v D18446744073709551615 MD"] { try stage.meta(.arithmetic, "n", flags) }
            try stage.run(stage.store(.set, "text", "abc"), stage.store(.set, "empty", ""))
            for name in ["text", "empty"] { try stage.meta(.arithmetic, name, "v") }
            for flags in ["MZ", "Dx", "D-1", "Jx N1", "D", "J"] { try stage.meta(.arithmetic, "text", flags) }
        },
        Scenario("meta-base64", "a key in base64 is the same key, and is shown as it was given") { stage in
            try stage.meta(.store, "a", "b k", value: "1")
            for flags in ["b k v", "k v", "b v"] { try stage.meta(.get, "a", flags) }
            try stage.run(stage.get("a"))
            try stage.meta(.debug, "a", "b")
            try stage.meta(.delete, "a", "b k Oo")
            for line in ["mg !!! b v", "mg YQ b k", "mg YQ=a b", "ms == 1 b\r\nx", "md $ b", "ma $ b", "me $ b"] { try stage.raw(line + "\r\n") }
        },
        Scenario("meta-pipeline", "what is quiet says nothing before mn, whole and in drops", needs: [.stream]) { stage in
            try stage.run(stage.store(.set, "a", "1"))
            let requests = [
                stage.metaRequest(.get, "none", "q v"), stage.metaRequest(.get, "a", "q v k"), stage.metaRequest(.store, "b", "q", value: "two\r\n"),
                stage.metaRequest(.store, "b", "q ME", value: "x"), stage.metaRequest(.delete, "b", "q"), stage.metaRequest(.delete, "b", "q"),
                stage.metaRequest(.arithmetic, "none", "q"), stage.metaRequest(.noOperation, ""), stage.metaRequest(.get, "a", "v s"),
            ]
            try stage.pipeline(requests)
            for pieces in [1, 2, 7] { try stage.pipeline(requests, pieces: pieces) }
        },
        Scenario("meta-refusals", "unknown, repeated, endless and senseless flags are refused in memcached's words", needs: [.stream]) { stage in
            try stage.run(stage.store(.set, "k", "v"))
            let many = (0..<25).map { " \(Character(Unicode.Scalar(UInt8(97 + $0))))" }.joined()
            for line in [
                "mg", "mg K v v", "mg K z", "mg K 5", "mg L v", "mg K T", "mg K Tx", "mg K T1x", "mg K N", "mg K R", "mg K Cx", "mg K" + many,
                "mg K O" + String(repeating: "o", count: 32), "ms", "ms K", "ms K x", "ms K -1", "ms K 2 z\r\nab", "ms K 2 Fx\r\nab", "ms K 2 T\r\nab",
                "ms K 2\r\nabc", "ms K 2 MZ\r\nab", "ms L 2\r\nab", "ms K 2 O" + String(repeating: "o", count: 32) + "\r\nab", "md", "md K z", "md K q q",
                "md L", "md K Cx", "ma", "ma K z", "ma L", "me", "me L", "mn x", "mx K", "m", "mgK", "MG K v",
            ] {
                guard stage.isJudged(line + "\r\n") else { continue }
                try stage.raw(line + "\r\n")
                try stage.raw(line + "\r\n", pieces: 1)
                try stage.run(.delete(key: stage.key("k")), stage.store(.set, "k", "v"))
            }
        },
    ]
}
