// SPDX-License-Identifier: MIT

import KMCControlMock
import Testing

@testable import KMCControl

struct EventTests {
    @Test func aStopIsReadWithItsReason() throws {
        let event: [UInt8] = [
            0x3c, 0x00, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00,  // struct nlmsghdr: length 60, the family
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // sequence 0, port 0: nobody asked
            0x06, 0x01, 0x00, 0x00,  // KMC_CMD_EVENT
            0x08, 0x00, 0x0e, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_A_EVENT KMC_EVENT_STOPPED
            0x08, 0x00, 0x01, 0x00, 0x05, 0x00, 0x00, 0x00,  // KMC_A_ID 5
            0x0a, 0x00, 0x02, 0x00, 0x74, 0x63, 0x70, 0x2d, 0x31, 0x00, 0x00, 0x00,  // KMC_A_NAME "tcp-1"
            0x08, 0x00, 0x0f, 0x00, 0x05, 0x00, 0x00, 0x00,  // KMC_A_REASON KMC_REASON_UNLOAD
            0x04, 0x00, 0x15, 0x00,  // padding
        ]
        let stream = try EventStream(over: MockTransport([verdict(), event]))
        #expect(try stream.next() == [Event(kind: .stopped(.unload), id: 5, name: "tcp-1")])
    }

    @Test(
        arguments: [
            (0, Event.Reason.none), (1, .request), (2, .owner), (3, .client(graceful: false)),
            (4, .client(graceful: true)),
            (5, .unload), (6, .other(6)),
        ] as [(UInt32, Event.Reason)])
    func everyReasonIsKnown(value: UInt32, reason: Event.Reason) throws {
        let event = reply(
            command: 6, sequence: 0, attribute(14, little(UInt32(1))), attribute(1, little(UInt32(5))),
            attribute(15, little(value)))
        let stream = try EventStream(over: MockTransport([verdict(), event]))
        #expect(try stream.next().map(\.kind) == [.stopped(reason)])
    }

    @Test func aStartAndWhatIsNewerAreRead() throws {
        let started = reply(command: 6, sequence: 0, attribute(14, little(UInt32(0))), attribute(1, little(UInt32(5))))
        let newer = reply(command: 6, sequence: 0, attribute(14, little(UInt32(9))), attribute(1, little(UInt32(5))))
        let other = reply(command: 200, sequence: 0)
        let stream = try EventStream(over: MockTransport([verdict(), started + newer + other]))
        #expect(try stream.next().map(\.kind) == [.started, .other(9)])
    }

    @Test func anEventWithoutInstanceIsRefused() throws {
        let event = reply(command: 6, sequence: 0, attribute(14, little(UInt32(1))))
        let stream = try EventStream(over: MockTransport([verdict(), event]))
        #expect(throws: ControlError.badReply("an event without instance or kind")) { try stream.next() }
    }

    @Test func lostEventsAreTold() throws {
        let stream = try EventStream(over: MockTransport(results: [.success(verdict()), .failure(.eventsLost)]))
        #expect(throws: ControlError.eventsLost) { try stream.next() }
    }
}
