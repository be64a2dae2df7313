// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

/// What memcached 1.6.45 answered to these lines, and kmemcache where it means to differ.
@Suite struct MetaTests {
    private static let format = "CLIENT_ERROR bad command line format\r\n"
    private static let either = "CLIENT_ERROR invalid or duplicate flag\r\n"
    private static let opaque = "O" + String(repeating: "y", count: 32)
    private static let tooLong = "CLIENT_ERROR opaque token too long\r\n"
    private static let put = "set k 5 100 2\r\n17\r\n"
    private static let stored = "STORED\r\n"

    static let lines: [Case] = [
        Case("mn\r\n", "MN\r\n"), Case("mn x\r\n", "MN\r\n"), Case("mn\n", before: "MN\r\n", after: format),
        Case("mg\r\n", before: "ERROR\r\n", after: format), Case("ms k\r\n", format), Case("mx k\r\n", "ERROR\r\n"),
        Case("mg k\r\n", "EN\r\n"), Case("mg k q\r\n", ""), Case("mg k k Ox\r\n", "EN kk Ox\r\n"), Case("mg a2V5 b k\r\n", "EN ka2V5 b\r\n"),
        Case("mg k {\r\n", before: "CLIENT_ERROR invalid flag\r\n", after: format), Case("mg k z\r\n", "CLIENT_ERROR invalid flag\r\n"),
        Case("mg k v v\r\n", "CLIENT_ERROR duplicate flag\r\n"), Case("mg k Tx\r\n", "CLIENT_ERROR bad token in command line format\r\n"),
        Case("mg k Tx z\r\n", "CLIENT_ERROR invalid flag\r\n"), Case("mg k F\r\n", format), Case("mg ! b\r\n", "CLIENT_ERROR error decoding key\r\n"),
        Case("mg k \(opaque)\r\n", "CLIENT_ERROR opaque token too long\r\n"),
        Case("md k z\r\n", before: either, after: "CLIENT_ERROR invalid flag\r\n"), Case("ma k Dx\r\n", either), Case("ma k MZ\r\n", "CLIENT_ERROR invalid mode for ma M token\r\n"),
        Case("ms k 2 MZ\r\nab\r\n", "CLIENT_ERROR invalid mode for ms M token\r\n"), Case("ms k 2\r\nabc\r\n", before: "CLIENT_ERROR bad data chunk\r\nERROR\r\n", after: "CLIENT_ERROR bad data chunk\r\n" + format),
        Case("ms k 2 q\r\nab\r\nmg k s v f\r\n", "VA 2 s2 f0\r\nab\r\n"), Case("ms k 2 c MR\r\nab\r\n", "NS c0\r\n"),
        Case("ms k 1 C5\r\na\r\n", "NF\r\n"), Case("ms k 1 MA N0 s\r\na\r\nms k 2 MA s\r\nbc\r\n", before: "NS\r\nNS\r\n", after: "HD s1\r\nHD s3\r\n"),
        Case(put + "mg k t f s k h v\r\n", stored + "VA 2 t100 f5 s2 kk h0\r\n17\r\n"), Case(put + "mg k t T50\r\nmg k T0 t\r\n", stored + "HD t100\r\nHD t-1\r\n"),
        Case("mg k N30 v t\r\nmg k N30 v\r\nmg k v\r\n", "VA 0 t30 W\r\n\r\nVA 0 Z\r\n\r\nVA 0 Z\r\n\r\n"),
        Case(put + "mg k R200\r\nmg k R200\r\n", stored + "HD W\r\nHD Z\r\n"), Case(put + "mg k R50\r\n", stored + "HD\r\n"),
        Case(put + "md k I T30\r\nmg k t v\r\nmg k\r\nms k 1\r\nx\r\nmg k v\r\n", stored + "HD\r\nVA 2 t30 X W\r\n17\r\nHD Z X\r\nHD\r\nVA 1\r\nx\r\n"),
        Case(put + "md k C9\r\nmd k q\r\nmd k q\r\n", stored + "EX\r\nNF\r\n"),
        Case(put + "md k x T9\r\nmg k v t f\r\n", before: stored + either + "VA 2 t100 f5\r\n17\r\n", after: stored + "HD\r\nVA 0 t9 f0\r\n\r\n"),
        Case(put + "ma k D5 v\r\nma k MD v t\r\nma k q\r\nma x N0 J7 v\r\nma y\r\n", stored + "VA 2\r\n22\r\nVA 2 t100\r\n21\r\nVA 1\r\n7\r\nNF\r\n"),
        Case(put + "ma k C9\r\n", stored + "EX\r\n"), Case("set k 0 0 1\r\nx\r\nma k\r\n", stored + "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
        Case("ms Zm9v 2 b k\r\nab\r\nmg foo k v\r\n", "HD kZm9v b\r\nVA 2 kZm9v b\r\nab\r\n"),
        Case("me k\r\n", "EN\r\n"),
    ]

    @Test(arguments: lines) func answers(_ line: Case) {
        for (dialect, answer) in [(Dialect.v1_6_18, line.before), (.v1_6_45, line.after), (.kmemcache, line.after)] {
            let server = ServerModel(dialect: dialect)
            let seen = String(decoding: server.connect().receive(Bytes(line.sent)), as: UTF8.self)
            #expect(seen == answer, "\(dialect.name)")
        }
    }

    @Test(arguments: lines) func anySplitGivesTheSame(_ line: Case) {
        let bytes = Bytes(line.sent)
        for cut in 1..<bytes.count {
            let client = ServerModel(dialect: .v1_6_45).connect()
            #expect(client.receive(bytes[..<cut]) + client.receive(bytes[cut...]) == Bytes(line.after))
        }
    }

    @Test(arguments: MetaRequest.Verb.allCases) func requestsSurviveEverySplit(_ verb: MetaRequest.Verb) {
        let request = Request(.meta(verb == .noOperation ? MetaRequest(verb) : verb == .debug ? MetaRequest(verb, key: Bytes("Zm9v"), "b")
            : MetaRequest(verb, key: Bytes("key"), "k Ox T30", value: verb == .store ? Bytes("a\r\nb") : [])))
        let bytes = TextCodec().encode(request)
        for cut in 0..<bytes.count {
            let events = Self.events([bytes[..<cut], bytes[cut...]])
            #expect(events == (verb == .store ? [.stored(request)] : [.request(request)]))
        }
    }

    /// What the decoder makes of the pieces, with all data collected.
    private static func events(_ pieces: [ArraySlice<UInt8>]) -> [TextRequestDecoder.Event] {
        var decoder = TextRequestDecoder(dialect: .kmemcache)
        var events: [TextRequestDecoder.Event] = []
        for piece in pieces {
            decoder.append(piece)
            while let event = decoder.next() {
                if case .announced = event { decoder.collect() } else { events.append(event) }
            }
        }
        return events
    }

    @Test func repliesSurviveEverySplit() throws {
        let replies = MetaReply.Code.allCases.map {
            Reply.meta(MetaReply($0, [Bytes("kx"), Bytes("W")], value: $0 == .value ? Bytes("EN\r\n") : nil))
        }
        let bytes = replies.flatMap { TextCodec().encode($0) }
        for cut in 0..<bytes.count {
            var decoder = TextReplyDecoder()
            var seen: [Reply] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                decoder.append(piece)
                while let reply = try decoder.next() { seen.append(reply) }
            }
            #expect(seen == replies)
        }
    }

    @Test func whereKMemcacheDiffers() {
        let sent = Bytes("mg Zm9v N0 b\r\nmg foo k\r\nms Zm9v 1 b\r\nx\r\nme Zm9v b\r\nma n N0 \(Self.opaque)\r\nmg n\r\n")
        let refused = "CLIENT_ERROR opaque token too long\r\n"
        let ours = ServerModel(dialect: .kmemcache).connect().receive(sent)
        let theirs = ServerModel(dialect: .v1_6_45).connect().receive(sent)
        let debug = "ME Zm9v exp=-1 la=0 cas=3 fetch=no cls=0 size=63\r\n"
        #expect(String(decoding: ours, as: UTF8.self) == "HD W\r\nHD kZm9v b Z\r\nHD\r\n" + debug + refused + "EN\r\n")
        #expect(String(decoding: theirs, as: UTF8.self) == "HD W\r\nHD kfoo Z\r\nHD\r\nEN\r\n" + refused + "HD\r\n")
    }

    /// Found late by memcached, when the access may have been counted; before anything is done by kmemcache.
    @Test(arguments: [("s", "h1", "h0"), ("l", "h0", "h0"), ("u", "h0", "h0")])
    func anAccessWithALongOpaque(_ flag: String, _ theirs: String, _ ours: String) {
        let sent = Bytes(Self.put + "mg k \(flag) \(Self.opaque)\r\nmg k h\r\n")
        for (dialect, mark) in [(Dialect.v1_6_18, theirs), (.v1_6_45, theirs), (.kmemcache, ours)] {
            let seen = String(decoding: ServerModel(dialect: dialect).connect().receive(sent), as: UTF8.self)
            #expect(seen == Self.stored + Self.tooLong + "HD \(mark)\r\n", "\(dialect.name)")
        }
    }

    @Test func withoutUniques() {
        let options = ServerModel.Options(version: "v", limits: .init(uniques: false))
        let sent = Bytes("ms k 1 c E7\r\n1\r\ngets k\r\ncas k 0 0 1 1\r\nx\r\nmd k C0\r\nma k N0 c\r\nme k\r\n")
        let seen = ServerModel(dialect: .kmemcache, options: options).connect().receive(sent)
        let debug = "ME k exp=-1 la=0 cas=0 fetch=no cls=0 size=53\r\n"
        let expected = "HD c0\r\nVALUE k 0 1 0\r\n1\r\nEND\r\nEXISTS\r\nHD\r\nHD c0\r\n" + debug
        #expect(String(decoding: seen, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("YW Jj", "abc"), ("YQ==YWJj", "a"), ("YWJjZA==", "abcd"),
    ])
    func base64(_ text: String, _ bytes: String) {
        #expect(Base64.decode(Bytes(text)) == Bytes(bytes))
    }

    @Test func base64OfNothing() {
        for text in ["", "!", "abc", "====", "a===", "abcde"] { #expect(Base64.decode(Bytes(text)) == nil) }
        for length in 0..<10 {
            let bytes = (0..<length).map { UInt8($0 * 37 & 255) }
            #expect(length == 0 || Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    /// A client names no unique between those that a server numbers and those of the model: the two would order them differently.
    @Test func namedUniquesAreAboveAllNumbered() {
        let random = RandomMeta(RandomRequests(prefix: Bytes("r.")), dialect: .v1_6_18)
        var source = RandomSource(seed: 1)
        var named: Set<UInt64> = []
        for _ in 0..<20_000 {
            for flag in random.next(&source, unique: { _ in nil }).flags where flag.letter == 0x43 || flag.letter == 0x45 {
                let digits = String(decoding: flag.argument, as: UTF8.self).drop { $0 == "+" }
                if let value = UInt64(digits) { named.insert(value) }
            }
        }
        #expect(named.contains { $0 > 0 } && named.allSatisfy { $0 == 0 || $0 > 1 << 41 })
    }
}
