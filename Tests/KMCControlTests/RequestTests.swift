// SPDX-License-Identifier: MIT

import KMCControlMock
import Testing

@testable import KMCControl

/// What goes to the kernel, byte for byte (little-endian machine).
struct RequestTests {
    /// An answer that every operation takes: an instance of id 3, and the verdict.
    private static let anInstance = [reply(command: 1, nest(7, attribute(1, [3, 0, 0, 0]))), verdict()]

    @Test func createSendsNameFlagsPidSettingsAndListeners() throws {
        let kernel = MockTransport(Self.anInstance)
        var settings = InstanceSettings()
        settings.memoryLimit = 64 << 20
        settings.evict = false
        settings.interfaces = "lo"
        let instance = try Control(over: kernel).create(
            name: "tcp-1", settings: settings,
            listeners: [
                ListenerRequest(descriptor: 5), ListenerRequest(descriptor: 6, wireProtocol: .text, tag: "t"),
            ], attached: true, pid: 77)
        #expect(instance.id == 3)
        let expected: [UInt8] = [
            // struct nlmsghdr
            0x78, 0x00, 0x00, 0x00,  // length 120
            0x1d, 0x00,  // type: the family
            0x05, 0x00,  // flags: NLM_F_REQUEST | NLM_F_ACK
            0x01, 0x00, 0x00, 0x00,  // sequence 1
            0x34, 0x12, 0x00, 0x00,  // port
            // struct genlmsghdr
            0x01, 0x01, 0x00, 0x00,  // KMC_CMD_NEW, version 1, reserved
            // KMC_A_NAME: 4 + 6 bytes, padded
            0x0a, 0x00, 0x02, 0x00, 0x74, 0x63, 0x70, 0x2d, 0x31, 0x00, 0x00, 0x00,
            // KMC_A_FLAGS: KMC_INSTANCE_F_ATTACHED
            0x08, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00,
            // KMC_A_PID: 77
            0x08, 0x00, 0x04, 0x00, 0x4d, 0x00, 0x00, 0x00,
            // KMC_A_SETTINGS: nest of 4 + 12 + 8 + 8 bytes
            0x20, 0x00, 0x05, 0x80,
            0x0c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,  // KMC_S_MEMORY_LIMIT u64 2^26
            0x05, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,  // KMC_S_EVICT u8 0
            0x07, 0x00, 0x16, 0x00, 0x6c, 0x6f, 0x00, 0x00,  // KMC_S_INTER "lo"
            // KMC_A_LISTENER: nest of 4 + 8 bytes
            0x0c, 0x00, 0x06, 0x80,
            0x08, 0x00, 0x01, 0x00, 0x05, 0x00, 0x00, 0x00,  // KMC_L_FD 5
            // KMC_A_LISTENER: nest of 4 + 8 + 8 + 8 bytes
            0x1c, 0x00, 0x06, 0x80,
            0x08, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,  // KMC_L_FD 6
            0x05, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_L_PROTOCOL KMC_PROTOCOL_TEXT
            0x06, 0x00, 0x03, 0x00, 0x74, 0x00, 0x00, 0x00,  // KMC_L_TAG "t"
        ]
        #expect(kernel.sent == [expected])
    }

    @Test func createWithoutAnythingSendsAnEmptyNestOfSettings() throws {
        let kernel = MockTransport(Self.anInstance)
        _ = try Control(over: kernel).create(
            name: nil, settings: InstanceSettings(), listeners: [], attached: false, pid: nil)
        #expect(
            kernel.sent == [
                [
                    0x18, 0x00, 0x00, 0x00, 0x1d, 0x00, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00, 0x34, 0x12, 0x00, 0x00,
                    0x01, 0x01, 0x00, 0x00,  // KMC_CMD_NEW
                    0x04, 0x00, 0x05, 0x80,  // KMC_A_SETTINGS, empty
                ]
            ])
    }

    @Test func destroyNamesTheInstance() throws {
        let kernel = MockTransport([verdict(), verdict(sequence: 2)])
        let control = try Control(over: kernel)
        try control.destroy(.id(9))
        try control.destroy(.name("a"), everywhere: true)
        #expect(
            kernel.sent == [
                [
                    0x1c, 0x00, 0x00, 0x00, 0x1d, 0x00, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00, 0x34, 0x12, 0x00, 0x00,
                    0x02, 0x01, 0x00, 0x00,  // KMC_CMD_DEL
                    0x08, 0x00, 0x01, 0x00, 0x09, 0x00, 0x00, 0x00,  // KMC_A_ID 9
                ],
                [
                    0x24, 0x00, 0x00, 0x00, 0x1d, 0x00, 0x05, 0x00, 0x02, 0x00, 0x00, 0x00, 0x34, 0x12, 0x00, 0x00,
                    0x02, 0x01, 0x00, 0x00,  // KMC_CMD_DEL
                    0x06, 0x00, 0x02, 0x00, 0x61, 0x00, 0x00, 0x00,  // KMC_A_NAME "a"
                    0x08, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x00,  // KMC_A_FLAGS KMC_LIST_F_ALL_NETNS
                ],
            ])
    }

    @Test func listGoesOnWithTheCursorOfTheReply() throws {
        let kernel = MockTransport([
            reply(command: 4, nest(7, attribute(1, little(UInt32(1)))), attribute(11, little(UInt32(1)))), verdict(),
            reply(command: 4, sequence: 2, nest(7, attribute(1, little(UInt32(4))))), verdict(sequence: 2),
        ])
        #expect(try Control(over: kernel).list().map(\.id) == [1, 4])
        #expect(kernel.sent.count == 2)
        #expect(kernel.sent[0].dropFirst(16) == [0x04, 0x01, 0x00, 0x00])  // KMC_CMD_LIST
        #expect(
            kernel.sent[1].dropFirst(16) == [
                0x04, 0x01, 0x00, 0x00,
                0x08, 0x00, 0x0b, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_A_CURSOR 1
            ])
    }

    @Test func statisticsGoOnWithTheCursorOfTheReply() throws {
        let kernel = MockTransport([
            reply(
                command: 5, nest(13, attribute(1, zero("pid")), attribute(2, zero("7"))),
                attribute(11, little(UInt32(1)))), verdict(),
            reply(command: 5, sequence: 2, nest(13, attribute(1, zero("uptime")), attribute(2, zero("")))),
            verdict(sequence: 2),
        ])
        let rows = try Control(over: kernel).statistics(of: .id(2), group: "items")
        #expect(rows == [Statistic(name: "pid", value: "7"), Statistic(name: "uptime", value: "")])
        #expect(
            kernel.sent[1].dropFirst(16) == [
                0x05, 0x01, 0x00, 0x00,  // KMC_CMD_STATS
                0x08, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00,  // KMC_A_ID 2
                0x0a, 0x00, 0x0c, 0x00, 0x69, 0x74, 0x65, 0x6d, 0x73, 0x00, 0x00, 0x00,  // KMC_A_STATS_GROUP "items"
                0x08, 0x00, 0x0b, 0x00, 0x01, 0x00, 0x00, 0x00,  // KMC_A_CURSOR 1
            ])
    }

    @Test func subscribingIsOneCommand() throws {
        let kernel = MockTransport([verdict()])
        _ = try EventStream(over: kernel)
        #expect(kernel.sent.map { Array($0.dropFirst(16)) } == [[0x07, 0x01, 0x00, 0x00]])  // KMC_CMD_SUBSCRIBE
    }
}
