// SPDX-License-Identifier: MIT

import Testing

@testable import KMCBench

/// Replies over UDP, and those of the binary protocol, whose CAS values nobody can foresee.
struct DatagramTests {
    private static func frame(_ tag: UInt8, _ number: UInt8 = 0, of total: UInt8 = 1) -> [UInt8] {
        [0, tag, 0, number, 0, total, 0, 0]
    }

    private static let end = Array("END\r\n".utf8)

    @Test func eachRequestHasAFrameOfItsOwn() {
        let talk = Talk(Workload(mix: .get, keys: 300, keySize: 8, depth: 2), framed: true)
        #expect(talk.ask() == Self.frame(0) + Array("get 00000000\r\n".utf8) + Self.frame(1) + Array("get 00000001\r\n".utf8))
    }

    @Test func repliesComeInAnyOrderAndOnceOnly() {
        let talk = Talk(Workload(mix: .get, keys: 300, depth: 3), framed: true)
        _ = talk.ask()
        #expect(talk.hear(datagram: Self.frame(2) + talk.item(2) + Self.end) == 1)
        #expect(talk.hear(datagram: Self.frame(2) + talk.item(2) + Self.end) == 0)
        #expect(talk.hear(datagram: Self.frame(0) + Self.end) == 1)
        #expect(talk.hear(datagram: Self.frame(9) + talk.item(1) + Self.end) == 0)
        #expect(talk.hear(datagram: [0, 1, 0]) == 0)
        #expect(talk.exchange.waiting == 1)
        talk.exchange.giveUp()
        #expect(talk.exchange.tally == Tally(requests: 2, keys: 2, hits: 1, misses: 1, lost: 1))
        #expect(talk.exchange.waiting == 0)
        _ = talk.ask()
        #expect(talk.hear(datagram: Self.frame(1) + talk.item(1) + Self.end) == 0, "it answers the batch before")
    }

    @Test func aReplyOfSeveralDatagramsIsComparedInPieces() {
        let talk = Talk(Workload(mix: .get, keys: 300, valueSize: 3000), framed: true)
        let reply = talk.item(0) + Self.end
        _ = talk.ask()
        #expect(talk.hear(datagram: Self.frame(0, 0, of: 3) + reply[..<1392]) == 0)
        #expect(talk.hear(datagram: Self.frame(0, 1, of: 3) + reply[1392..<2784]) == 0)
        #expect(talk.hear(datagram: Self.frame(0, 2, of: 3) + reply[2784...]) == 1)
        #expect(talk.exchange.tally == Tally(requests: 1, keys: 1, hits: 1))
    }

    @Test func aWrongValueIsFound() {
        let talk = Talk(Workload(mix: .get, keys: 300), framed: true)
        _ = talk.ask()
        #expect(talk.hear(datagram: Self.frame(0) + talk.item(0, value: talk.value(1)) + Self.end) == 1)
        #expect(talk.exchange.tally == Tally(requests: 1, keys: 1, wrong: 1))
    }

    /// A binary reply to `get` with the value of key `number`.
    private static func reply(_ talk: Talk, _ number: UInt32, opaque: UInt8, cas: [UInt8]) -> [UInt8] {
        let value = talk.value(number)
        return [0x81, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, UInt8(4 + value.count), 0, 0, 0, opaque] + cas + [0, 0, 0, 0] + value
    }

    @Test(arguments: [1, 2, 17, 23, 24, 60, .max]) func aCASValueMayBeAny(piece: Int) {
        let talk = Talk(Workload(mix: .get, dialect: .binary, keys: 9, depth: 3))
        let asked = talk.ask()
        #expect(asked.prefix(12) == [0x80, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16])
        let missed: [UInt8] = [0x81, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x4E, 0x6F]
        let replies = Self.reply(talk, 0, opaque: 0, cas: [1, 2, 3, 4, 5, 6, 7, 8]) + missed
            + Self.reply(talk, 2, opaque: 2, cas: [9, 9, 9, 9, 9, 9, 9, 9])
        #expect(talk.hear(replies, piece: piece) == 3)
        #expect(talk.exchange.tally == Tally(requests: 3, keys: 3, hits: 2, misses: 1))
    }

    @Test func aBinaryReplyWithAnotherValueIsWrong() {
        let talk = Talk(Workload(mix: .get, dialect: .binary, keys: 9))
        _ = talk.ask()
        #expect(talk.hear(Self.reply(talk, 1, opaque: 0, cas: [0, 0, 0, 0, 0, 0, 0, 1])) == 1)
        #expect(talk.exchange.tally == Tally(requests: 1, keys: 1, wrong: 1))
    }
}
