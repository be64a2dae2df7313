// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

@Suite struct UDPFrameTests {
    @Test func requestsOfOneDatagram() throws {
        let datagram = UDPFrame(request: 0x1234).datagram(Bytes("get a\r\n"))
        #expect(datagram.prefix(8).elementsEqual([0x12, 0x34, 0, 0, 0, 1, 0, 0]))
        let request = try #require(UDPFrame.request(in: datagram))
        #expect(request.frame == UDPFrame(request: 0x1234))
        #expect(request.payload == Bytes("get a\r\n"))
    }

    @Test func whatAServerDrops() {
        let parts = UDPFrame(request: 1, sequence: 0, total: 2).datagram(Bytes("get a\r\n"))
        for datagram in [[], [0, 1, 0, 0, 0, 1, 0], UDPFrame(request: 1).datagram([]), parts] {
            #expect(UDPFrame.request(in: datagram) == nil)
        }
    }

    @Test(arguments: [1, 1391, 1392, 1393, 2784, 2785, 100_000]) func answersComeTogetherInAnyOrder(_ length: Int) throws {
        let answer = (0..<length).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let datagrams = UDPFrame.datagrams(answer, request: 9)
        #expect(datagrams.count == (length + 1391) / 1392)
        #expect(datagrams.allSatisfy { $0.count <= 1400 })
        for order in [datagrams, datagrams.reversed()] {
            var assembler = UDPReplyAssembler(request: 9)
            #expect(try assembler.take(UDPFrame(request: 8).datagram([1])) == nil)
            let taken = try order.map { try assembler.take($0) }
            #expect(taken.dropLast().allSatisfy { $0 == nil })
            #expect(taken.last == answer)
        }
    }

    @Test func repliesThatBreakTheProtocol() throws {
        typealias Malformed = UDPReplyAssembler.Malformed
        let wrong: [(Bytes, Malformed)] = [
            ([1, 2, 3], .tooShort), (UDPFrame(request: 1).datagram(Bytes(repeating: 0, count: 1393)), .tooLong),
            (UDPFrame(request: 1, sequence: 1, total: 1).datagram([0]), .contradiction),
            (UDPFrame(request: 1, reserved: 1).datagram([0]), .contradiction),
        ]
        for (datagram, error) in wrong {
            var assembler = UDPReplyAssembler(request: 1)
            #expect(throws: error) { try assembler.take(datagram) }
        }
        var assembler = UDPReplyAssembler(request: 1)
        #expect(try assembler.take(UDPFrame(request: 1, total: 2).datagram([0])) == nil)
        #expect(throws: Malformed.repeated) { try assembler.take(UDPFrame(request: 1, total: 2).datagram([0])) }
        #expect(throws: Malformed.contradiction) { try assembler.take(UDPFrame(request: 1, sequence: 1, total: 3).datagram([0])) }
    }
}
