// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

@Suite struct BinaryTests {
    private func number<T: FixedWidthInteger>(_ values: T...) -> Bytes {
        values.reduce(into: []) { $0.append(bigEndian: $1) }
    }

    /// What a fresh server answers to each request in turn.
    private func converse(_ requests: [BinaryFrame], _ dialect: Dialect = .kmemcache) throws -> [BinaryFrame] {
        try replies(ServerModel(dialect: dialect).connect().receive(requests.flatMap { $0.encoded(BinaryFrame.requestMagic) }))
    }

    private func replies(_ bytes: Bytes) throws -> [BinaryFrame] {
        var decoder = BinaryReplyDecoder()
        decoder.append(bytes)
        var frames: [BinaryFrame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        #expect(decoder.isIdle)
        return frames
    }

    private func set(_ code: UInt8, _ key: String, _ value: String, unique: UInt64 = 0) -> BinaryFrame {
        BinaryFrame(code, extras: number(7 as UInt32, 0), key: Bytes(key), value: Bytes(value), unique: unique)
    }

    @Test func everyDeed() throws {
        let k = Bytes("k")
        let seen = try converse([
            set(0x01, "k", "v"), BinaryFrame(0x00, key: k, opaque: 5), BinaryFrame(0x0C, key: k), BinaryFrame(0x0C, key: Bytes("x")),
            BinaryFrame(0x0E, key: k, value: Bytes("w")), BinaryFrame(0x1D, extras: number(9 as UInt32), key: k),
            BinaryFrame(0x1C, extras: number(0 as UInt32), key: k), set(0x02, "k", ""), set(0x03, "x", ""), set(0x01, "k", "", unique: 99),
            BinaryFrame(0x05, extras: number(1, 7 as UInt64) + number(0 as UInt32), key: Bytes("n")),
            BinaryFrame(0x05, extras: number(1, 7 as UInt64) + number(0 as UInt32), key: Bytes("n")),
            BinaryFrame(0x06, extras: number(1, 7 as UInt64) + number(UInt32.max), key: Bytes("m")),
            BinaryFrame(0x05, extras: number(1, 7 as UInt64) + number(0 as UInt32), key: k),
            BinaryFrame(0x04, key: k, unique: 1), BinaryFrame(0x04, key: k), BinaryFrame(0x08), BinaryFrame(0x0F, key: k, value: k),
            BinaryFrame(0x10, key: Bytes("none")), BinaryFrame(0x1B), BinaryFrame(0x07),
        ])
        let flags = number(7 as UInt32)
        let expected: [BinaryFrame] = [
            BinaryFrame(0x01, unique: 2), BinaryFrame(0x00, extras: flags, value: Bytes("v"), opaque: 5, unique: 2),
            BinaryFrame(0x0C, extras: flags, key: k, value: Bytes("v"), unique: 2), BinaryFrame(0x0C, status: 1, key: Bytes("x")),
            BinaryFrame(0x0E, unique: 3), BinaryFrame(0x1D, extras: flags, value: Bytes("vw"), unique: 3),
            BinaryFrame(0x1C, extras: flags, unique: 3), BinaryFrame(0x02, status: 2, value: Bytes("Data exists for key.")),
            BinaryFrame(0x03, status: 1, value: Bytes("Not found")), BinaryFrame(0x01, status: 2, value: Bytes("Data exists for key.")),
            BinaryFrame(0x05, value: number(7 as UInt64), unique: 4), BinaryFrame(0x05, value: number(8 as UInt64), unique: 5),
            BinaryFrame(0x06, status: 1, value: Bytes("Not found")),
            BinaryFrame(0x05, status: 6, value: Bytes("Non-numeric server-side value for incr or decr")),
            BinaryFrame(0x04, status: 2, value: Bytes("Data exists for key.")), BinaryFrame(0x04), BinaryFrame(0x08),
            BinaryFrame(0x0F, status: 5, value: Bytes("Not stored.")), BinaryFrame(0x10, status: 1, value: Bytes("Not found")),
            BinaryFrame(0x1B, status: 0x81, value: Bytes("Unknown command")), BinaryFrame(0x07),
        ]
        #expect(seen.count == expected.count)
        for (seen, expected) in zip(seen, expected) { #expect(seen == expected) }
    }

    @Test func quietOnesTellErrorsAndHits() throws {
        let seen = try converse([
            BinaryFrame(0x09, key: Bytes("k")), set(0x11, "k", "v"), set(0x12, "k", "v"), BinaryFrame(0x09, key: Bytes("k")),
            BinaryFrame(0x14, key: Bytes("k")), BinaryFrame(0x14, key: Bytes("k")), BinaryFrame(0x18), BinaryFrame(0x0A),
        ])
        #expect(seen.map(\.opcode) == [0x12, 0x09, 0x14, 0x0A])
        #expect(seen.map(\.status) == [2, 0, 1, 0])
    }

    /// Header and body, what is answered, and whether the connection ends.
    static let wrong: [(Bytes, UInt16?, Bool)] = [
        ([0x81, 0x00] + Bytes(repeating: 0, count: 22), nil, true),
        (BinaryFrame(0x00).encoded(0x80), 4, true), (BinaryFrame(0x01, key: [1]).encoded(0x80), 4, true),
        (BinaryFrame(0x0A, key: [1]).encoded(0x80), 4, true), (BinaryFrame(0x05, extras: [1], key: [1]).encoded(0x80), 4, true),
        (BinaryFrame(0x00, key: Bytes(repeating: 1, count: 251)).encoded(0x80), 4, true),
        ([0x80, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1] + Bytes(repeating: 0, count: 12) + Bytes("abcde"), 0x81, true),
        ([0x80, 1, 0, 1, 8, 0, 0, 0, 0x40, 0, 0, 1] + Bytes(repeating: 0, count: 12) + Bytes("abcdefghi"), 4, true),
        (BinaryFrame(0x7F).encoded(0x80), 0x81, false), (BinaryFrame(0x7F, value: Bytes("abc")).encoded(0x80), 0x81, false),
    ]

    @Test(arguments: 0..<wrong.count, [Dialect.v1_6_45, .kmemcache]) func refusals(_ index: Int, _ dialect: Dialect) throws {
        let (bytes, status, closes) = Self.wrong[index]
        let client = ServerModel(dialect: dialect).connect()
        _ = client.receive(BinaryFrame(0x0A).encoded(BinaryFrame.requestMagic))
        #expect(try replies(client.receive(bytes)).map(\.status) == (status.map { [$0] } ?? []))
        #expect(client.isClosed == closes)
        #expect(closes || client.isIdle)
    }

    /// The body of an unknown request is thrown away once here, and its key twice in memcached.
    @Test func unknownWithKey() throws {
        let bytes = BinaryFrame(0x7F, key: Bytes("abc")).encoded(0x80) + BinaryFrame(0x0A).encoded(0x80)
        let ours = ServerModel(dialect: .kmemcache).connect()
        #expect(try replies(ours.receive(bytes)).map(\.opcode) == [0x7F, 0x0A])
        let theirs = ServerModel(dialect: .v1_6_45).connect()
        #expect(try replies(theirs.receive(bytes)).map(\.opcode) == [0x7F])
    }

    @Test func anySplitGivesTheSame() {
        let bytes = [set(0x01, "k", "abc"), BinaryFrame(0x7F, value: Bytes("xyz")), BinaryFrame(0x0D, key: Bytes("k")), BinaryFrame(0x17)]
            .flatMap { $0.encoded(BinaryFrame.requestMagic) }
        let whole = ServerModel(dialect: .kmemcache).connect().receive(bytes)
        for cut in 1..<bytes.count {
            let client = ServerModel(dialect: .kmemcache).connect()
            #expect(client.receive(bytes[..<cut]) + client.receive(bytes[cut...]) == whole)
            #expect(client.isClosed)
        }
    }

    @Test func bothProtocolsShareTheItems() throws {
        let server = ServerModel(dialect: .kmemcache)
        let (text, binary) = (server.connect(), server.connect())
        #expect(try replies(binary.receive(set(0x01, "k", "v").encoded(0x80))).map(\.status) == [0])
        #expect(text.receive(Bytes("gets k\r\nms k 1 c\r\nw\r\n")) == Bytes("VALUE k 7 1 2\r\nv\r\nEND\r\nHD c3\r\n"))
        #expect(try replies(binary.receive(BinaryFrame(0x00, key: Bytes("k")).encoded(0x80))).map(\.value) == [Bytes("w")])
    }

    @Test func malformedReplies() {
        for bytes in [Bytes(repeating: 0x80, count: 24), [0x81, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1] + Bytes(repeating: 0, count: 12)] {
            var decoder = BinaryReplyDecoder()
            decoder.append(bytes)
            #expect(throws: BinaryReplyDecoder.Malformed.self) { try decoder.next() }
        }
    }
}
