// SPDX-License-Identifier: MIT

import Glibc
import KMCControlMock
import Testing

@testable import KMCControl

/// What comes from the kernel, as it should be.
struct ReplyTests {
    @Test func anInstanceIsReadWithAllThatItHas() throws {
        let kernel = MockTransport([Self.instanceReply, verdict()])
        let instance = try Control(over: kernel).get(.id(3))
        #expect(instance.id == 3)
        #expect(instance.name == "tcp-11213")
        #expect(instance.isAttached)
        #expect(instance.pid == 77)
        #expect(instance.state == .running)
        #expect(instance.connections == 2)
        #expect(instance.uptime == 1 << 33)
        #expect(instance.namespace == 4_026_531_840)
        #expect(
            instance.endpoints == [
                .ipv4("127.0.0.1", port: 11213), .ipv6("::1", port: 11213), .unix("/tmp/a b"), .other(family: 40),
            ])
        #expect(instance.listeners.map(\.isShut) == [false, true, false, false])
        #expect(instance.endpoints.map(\.description).prefix(3) == ["127.0.0.1:11213", "[::1]:11213", "/tmp/a b"])
        #expect(instance.settings?.connectionLimit == 1024)
        #expect(instance.settings?.memoryLimit == nil)
    }

    static let instanceReply: [UInt8] = [
        // struct nlmsghdr
        0xec, 0x00, 0x00, 0x00,  // length 236
        0x1d, 0x00, 0x00, 0x00,  // type: the family; flags
        0x01, 0x00, 0x00, 0x00,  // sequence 1
        0x34, 0x12, 0x00, 0x00,  // port
        0x03, 0x01, 0x00, 0x00,  // KMC_CMD_GET, version 1
        0xd0, 0x00, 0x07, 0x80,  // KMC_A_INSTANCE, nest of 208 bytes
        0x08, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00,  // KMC_A_ID 3
        0x0e, 0x00, 0x02, 0x00, 0x74, 0x63, 0x70, 0x2d, 0x31, 0x31, 0x32, 0x31, 0x33, 0x00, 0x00, 0x00,  // KMC_A_NAME
        0x08, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_A_FLAGS KMC_INSTANCE_F_ATTACHED
        0x08, 0x00, 0x04, 0x00, 0x4d, 0x00, 0x00, 0x00,  // KMC_A_PID 77
        0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,  // KMC_A_STATE KMC_STATE_RUNNING
        0x08, 0x00, 0x09, 0x00, 0x02, 0x00, 0x00, 0x00,  // KMC_A_CONNS 2
        0x0c, 0x00, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,  // KMC_A_UPTIME 2^33
        0x0c, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x00,  // KMC_A_NETNS
        0x0c, 0x00, 0x05, 0x80, 0x08, 0x00, 0x03, 0x00, 0x00, 0x04, 0x00, 0x00,  // KMC_A_SETTINGS: KMC_S_CONN_LIMIT 1024
        0x1c, 0x00, 0x06, 0x80,  // KMC_A_LISTENER
        0x06, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00, 0x00,  // KMC_L_FAMILY AF_INET
        0x08, 0x00, 0x06, 0x00, 0x7f, 0x00, 0x00, 0x01,  // KMC_L_ADDRESS 127.0.0.1
        0x06, 0x00, 0x07, 0x00, 0xcd, 0x2b, 0x00, 0x00,  // KMC_L_PORT 11213
        0x30, 0x00, 0x06, 0x80,  // KMC_A_LISTENER
        0x06, 0x00, 0x04, 0x00, 0x0a, 0x00, 0x00, 0x00,  // KMC_L_FAMILY AF_INET6
        0x14, 0x00, 0x06, 0x00,  // KMC_L_ADDRESS ::1
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
        0x06, 0x00, 0x07, 0x00, 0xcd, 0x2b, 0x00, 0x00,  // KMC_L_PORT 11213
        0x05, 0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_L_SHUT 1
        0x18, 0x00, 0x06, 0x80,  // KMC_A_LISTENER
        0x06, 0x00, 0x04, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_L_FAMILY AF_UNIX
        0x0c, 0x00, 0x06, 0x00, 0x2f, 0x74, 0x6d, 0x70, 0x2f, 0x61, 0x20, 0x62,  // KMC_L_ADDRESS "/tmp/a b"
        0x0c, 0x00, 0x06, 0x80,  // KMC_A_LISTENER
        0x06, 0x00, 0x04, 0x00, 0x28, 0x00, 0x00, 0x00,  // KMC_L_FAMILY 40, which this program does not know
        0x08, 0x00, 0xff, 0x03, 0x01, 0x02, 0x03, 0x04,  // an attribute that this program does not know
    ]

    @Test func replyAndVerdictMayShareADatagram() throws {
        let kernel = MockTransport([Self.instanceReply + verdict()])
        #expect(try Control(over: kernel).get(.id(3)).id == 3)
    }

    @Test func answersToOtherRequestsArePassedOver() throws {
        let stale = reply(command: 3, sequence: 9, nest(7, attribute(1, little(UInt32(8)))))
        let foreign = message(sequence: 1, port: 99, [3, 1, 0, 0] + nest(7, attribute(1, little(UInt32(8)))))
        let noop = message(type: 1, [])
        let kernel = MockTransport([stale, verdict(EPERM, sequence: 9), foreign, noop, Self.instanceReply, verdict()])
        #expect(try Control(over: kernel).get(.id(3)).id == 3)
    }

    @Test(
        arguments: [
            (EPERM, "no", ControlError.notPermitted(sentence: "no")),
            (EPERM, nil, .notPermitted(sentence: nil)),
            (EINVAL, "a value is wrong", .refused(code: EINVAL, sentence: "a value is wrong")),
            (ENOENT, "no such instance", .refused(code: ENOENT, sentence: "no such instance")),
            // Generic netlink itself, when the family is gone.
            (ENOENT, nil, .moduleNotLoaded),
            (EBUSY, nil, .refused(code: EBUSY, sentence: nil)),
        ] as [(Int32, String?, ControlError)])
    func aRefusalKeepsTheKernelsSentence(code: Int32, sentence: String?, expected: ControlError) throws {
        let kernel = MockTransport([verdict(code, sentence: sentence)])
        let control = try Control(over: kernel)
        #expect(throws: expected) { try control.destroy(.id(1)) }
    }

    @Test func aSentenceIsFoundBehindAnEchoThatIsNotCapped() throws {
        let request: [UInt8] = little(UInt32(23)) + [UInt8](repeating: 0, count: 12) + [1, 2, 3, 4, 5, 6, 7, 0]
        let answer = message(type: 2, flags: 0x200, little(-EINVAL) + request + attribute(1, zero("too small")))
        let control = try Control(over: MockTransport([answer]))
        #expect(throws: ControlError.refused(code: EINVAL, sentence: "too small")) { try control.destroy(.id(1)) }
    }

    @Test func sentencesSayWhatToDo() {
        #expect(ControlError.moduleNotLoaded.sentence.contains("modprobe kmemcache"))
        #expect(ControlError.notPermitted(sentence: nil).sentence.contains("CAP_NET_ADMIN"))
        #expect(ControlError.refused(code: EBUSY, sentence: "verbatim, so").sentence == "verbatim, so")
        #expect(ControlError.refused(code: ERANGE, sentence: "memory").sentence.hasSuffix("range: memory"))
        #expect(ControlError.refused(code: EBUSY, sentence: nil).sentence.contains("busy"))
    }
}
