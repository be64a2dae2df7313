// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

/// The pieces of some bytes: whole, cut at every place, and byte by byte.
private func splits(of bytes: Bytes) -> [[Bytes]] {
    (0...bytes.count).map { [Bytes(bytes.prefix($0)), Bytes(bytes.dropFirst($0))] } + [bytes.map { [$0] }]
}

@Suite struct CodecTests {
    static let key = Bytes("key")

    static let requests: [Request] = [
        Request(.get(keys: [key], unique: false)), Request(.get(keys: [key, Bytes("b")], unique: true)),
        Request(.getAndTouch(expiry: 60, keys: [key], unique: false)),
        Request(.getAndTouch(expiry: -1, keys: [key, Bytes("b")], unique: true)),
        Request(.delete(key: key)), Request(.delete(key: key), quiet: true),
        Request(.arithmetic(Arithmetic(.incr, key: key, delta: .max))),
        Request(.arithmetic(Arithmetic(.decr, key: key, delta: 0)), quiet: true),
        Request(.touch(key: key, expiry: .min)), Request(.touch(key: key, expiry: 5), quiet: true),
        Request(.flushAll(delay: 0)), Request(.flushAll(delay: 0), quiet: true), Request(.flushAll(delay: 10), quiet: true),
        Request(.version), Request(.verbosity(3)), Request(.verbosity(0), quiet: true), Request(.quit),
        Request(.shutdown(.now)), Request(.shutdown(.graceful)), Request(.stats([])), Request(.stats([Bytes("items")])),
    ]

    static let stores: [Request] = StoreMode.allCases.flatMap { mode in
        [Bytes(), Bytes("value"), Bytes("\r\nEND\r\n\0")].flatMap { value in
            [false, true].map { quiet in
                let unique: UInt64 = mode == .cas ? .max : 0
                return Request(
                    .store(Store(mode, key: key, value: value, flags: .max, expiry: -7, unique: unique)), quiet: quiet)
            }
        }
    }

    static let replies: [Reply] = [
        .values([]), .stored, .notStored, .exists, .notFound, .deleted, .touched, .ok, .reset, .number(0), .number(.max),
        .version("1.6.45-kmemcache-0"), .failure(.error), .failure(.badFormat), .failure(.tooLarge),
        .failure(Failure("ERROR Too many open connections")),
        .values([Value(key: key, flags: 0, data: [])]),
        .values([Value(key: key, flags: .max, data: Bytes("END\r\nVALUE a 0 1\r\n"), unique: .max), Value(key: [1, 9], flags: 1, data: [0])]),
        .interrupted([Value(key: key, flags: 0, data: Bytes("x"))]), .failure(.badFormat),
        .stats([Statistic("pid", "1"), Statistic("empty", ""), Statistic("libevent", "2.1 stable")]),
    ]

    /// What a decoder makes of a request that arrives in pieces.
    private static func decode(_ pieces: [Bytes], with decoder: inout TextRequestDecoder) -> [TextRequestDecoder.Event] {
        var seen: [TextRequestDecoder.Event] = []
        for piece in pieces {
            decoder.append(piece)
            while let event = decoder.next() {
                if case .announced = event { decoder.collect() } else { seen.append(event) }
            }
        }
        return seen
    }

    @Test(arguments: requests + stores, [Dialect.v1_6_18, .v1_6_45, .kmemcache])
    func requestSurvivesEverySplit(_ request: Request, _ dialect: Dialect) {
        let codec = TextCodec(dialect: dialect)
        var expected = [TextRequestDecoder.Event.request(request)]
        if case .store = request.command { expected = [.stored(request)] }
        for pieces in splits(of: codec.encode(request)) {
            var decoder = codec.requestDecoder()
            #expect(Self.decode(pieces, with: &decoder) == expected)
            #expect(decoder.isIdle)
        }
    }

    @Test func repliesSurviveEverySplit() throws {
        let codec = TextCodec()
        let bytes = Self.replies.flatMap { codec.encode($0) }
        for pieces in splits(of: bytes) {
            var decoder = codec.replyDecoder()
            var seen: [Reply] = []
            for piece in pieces {
                decoder.append(piece)
                while let reply = try decoder.next() { seen.append(reply) }
            }
            #expect(seen == Self.replies)
            #expect(decoder.isIdle)
        }
    }

    @Test(arguments: [
        "VALUE k 0\r\n", "VALUE k x 1\r\n", "VALUE k 0 1 x\r\n", "VALUE k 0 1\r\nab\r\n", "STORED\n", "STAT a b\r\nSTORED\r\n",
        "VALUE k 0 99999999999\r\n",
    ])
    func malformedReplies(_ text: String) {
        var decoder = TextReplyDecoder()
        decoder.append(Bytes(text))
        #expect(throws: TextReplyDecoder.Malformed.self) { while try decoder.next() != nil {} }
    }

    @Test func unknownLinesAreKept() throws {
        var decoder = TextReplyDecoder()
        decoder.append(Bytes("\r\nBUSY\r\n"))
        #expect(try decoder.next() == .unknown([]))
        #expect(try decoder.next() == .unknown(Bytes("BUSY")))
    }

    @Test func swallowedDataIsNotRead() {
        var decoder = TextRequestDecoder(dialect: .v1_6_45)
        decoder.append(Bytes("set k 0 0 9\r\nversion\r\n\r\nquit\r\n"))
        #expect(decoder.next() == .announced(.store(Store(.set, key: Bytes("k"), value: [])), length: 9, quiet: false))
        #expect(decoder.next() == nil, "the owner has not decided yet")
        decoder.swallow()
        #expect(decoder.next() == .request(Request(.quit)))
    }

    @Test func escaping() {
        #expect(Bytes("a\r\n\\\0\u{7F}").escaped() == "a\\r\\n\\\\\\x00\\x7f")
        #expect(Bytes(repeating: 0x61, count: 100).escaped(limit: 10) == "aaaaa…(100 bytes)…aaaaa")
    }
}

@Suite struct DialectTests {
    @Test(arguments: [
        ("1.6.18", "1.6.18"), ("1.6.45", "1.6.45"), ("1.6.45-kmemcache-0.1", "1.6.45-kmemcache"), ("1.6.46", "1.6.45"),
    ])
    func known(_ version: String, _ name: String) {
        #expect(Dialect.speaking(version)?.name == name)
    }

    @Test(arguments: ["", "1.5.22", "1.6.30", "2.0.0", "x.y.z"])
    func unknown(_ version: String) {
        #expect(Dialect.speaking(version) == nil)
    }

    @Test func everyDifferenceHasItsSource() {
        #expect(Difference.all.count >= 15)
        #expect(Difference.all.allSatisfy { $0.commit.count == 9 && $0.release.hasPrefix("1.6.") && $0.before != $0.after })
    }
}
