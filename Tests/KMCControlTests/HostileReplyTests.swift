// SPDX-License-Identifier: MIT

import Glibc
import KMCControlMock
import Testing

@testable import KMCControl

/// What comes from the kernel, as it should not be: an error each, never a crash, never an endless loop.
struct HostileReplyTests {
    private static let header = 16

    @Test(
        arguments: [
            ("a datagram shorter than a header", [0x10, 0x00, 0x00]),
            ("a length of nothing", little(UInt32(0)) + [UInt8](repeating: 0, count: 12)),
            ("a length below the header's", little(UInt32(15)) + [UInt8](repeating: 0, count: 12)),
            ("a length beyond the datagram", little(UInt32(17)) + [UInt8](repeating: 0, count: 12)),
            ("a length that wraps", little(UInt32.max) + [UInt8](repeating: 0, count: 12)),
            ("no generic netlink header", message([3, 1])),
            ("an attribute's header cut off", message([3, 1, 0, 0, 8, 0])),
            ("an attribute of length 0", message([3, 1, 0, 0, 0, 0, 7, 0])),
            ("an attribute of length 3", message([3, 1, 0, 0, 3, 0, 7, 0])),
            ("an attribute beyond the message", message([3, 1, 0, 0, 9, 0, 7, 0, 1, 2, 3, 4])),
            ("a nest that holds no attributes", reply(command: 3, attribute(7, [1, 2, 3]))),
            ("an id of two bytes", reply(command: 3, nest(7, attribute(1, [3, 0])))),
            ("an instance without id", reply(command: 3, nest(7, attribute(2, zero("a"))))),
            ("no instance", reply(command: 3)),
            (
                "an address of three bytes",
                instance(listener: attribute(4, [2, 0]), attribute(6, [127, 0, 0]), attribute(7, [1, 0]))
            ),
            ("a listener without family", instance(listener: attribute(6, [127, 0, 0, 1]))),
            ("a listener without port", instance(listener: attribute(4, [2, 0]), attribute(6, [127, 0, 0, 1]))),
            ("a verdict cut off", message(type: 2, [0, 0])),
            ("a verdict without echo", message(type: 2, [0, 0, 0, 0])),
            ("a positive verdict", message(type: 2, little(Int32(5)) + [UInt8](repeating: 0, count: 16))),
            (
                "a verdict that cannot be negated",
                message(type: 2, little(Int32.min) + [UInt8](repeating: 0, count: 16))
            ),
            (
                "an echo beyond the message",
                message(type: 2, flags: 0x200, little(-EINVAL) + little(UInt32.max) + [UInt8](repeating: 0, count: 12))
            ),
            (
                "an echo shorter than a header",
                message(type: 2, flags: 0x200, little(-EINVAL) + little(UInt32(3)) + [UInt8](repeating: 0, count: 12))
            ),
        ] as [(String, [UInt8])])
    func isABadReply(what: String, datagram: [UInt8]) throws {
        let control = try Control(over: MockTransport([datagram, verdict()]))
        do {
            _ = try control.get(.id(3))
            Issue.record("\(what) was taken")
        } catch .badReply {
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    private static func instance(listener: [UInt8]...) -> [UInt8] {
        reply(command: 3, nest(7, attribute(1, little(UInt32(3))), attribute(0x8006, listener.flatMap { $0 })))
    }

    @Test(arguments: [0, 5] as [UInt32])
    func aCursorThatStandsStillEndsTheList(next: UInt32) throws {
        let first = reply(command: 4, nest(7, attribute(1, little(UInt32(5)))), attribute(11, little(UInt32(5))))
        let second = reply(
            command: 4, sequence: 2, nest(7, attribute(1, little(UInt32(5)))), attribute(11, little(next)))
        let kernel = MockTransport([first, verdict(), second, verdict(sequence: 2)])
        let control = try Control(over: kernel)
        #expect(throws: ControlError.badReply("a cursor that does not advance")) { try control.list() }
    }

    @Test func aCursorBehindAnEmptyReplyEndsTheList() throws {
        let kernel = MockTransport([reply(command: 4, attribute(11, little(UInt32(5)))), verdict()])
        let control = try Control(over: kernel)
        #expect(throws: ControlError.badReply("a cursor that does not advance")) { try control.list() }
    }

    @Test(arguments: [[], [reply(command: 4), reply(command: 4)]])
    func noReplyOrTwoAreRefused(replies: [[UInt8]]) throws {
        let control = try Control(over: MockTransport(replies + [verdict()]))
        #expect(throws: ControlError.badReply("\(replies.count) replies")) { try control.list() }
    }

    @Test func everyCutOfAGoodReplyIsAnError() throws {
        let good = ReplyTests.instanceReply
        for length in 0..<good.count {
            let control = try Control(over: MockTransport([Array(good.prefix(length)), verdict()]))
            #expect(throws: ControlError.self) { try control.get(.id(3)) }
        }
    }

    @Test func noCorruptionOfAGoodReplyCrashes() throws {
        var random = SplitMix(state: 0x6b6d_656d_6361_6368)
        let good = ReplyTests.instanceReply
        for _ in 0..<20_000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bad[Int.random(in: Self.header..<bad.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Control(over: MockTransport([bad, verdict()])).get(.id(3))
        }
    }
}

/// Random numbers that repeat (Steele, Lea, Flood: splitmix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
