// SPDX-License-Identifier: MIT

import KMCControl

/// A kernel that answers with what a test recorded, and keeps what it was sent.
public final class MockTransport: NetlinkTransport {
    public static let family: UInt16 = 0x1d
    public static let port: UInt32 = 0x0000_1234

    public let port: UInt32 = MockTransport.port
    public let descriptor: Int32 = -1
    public private(set) var sent: [[UInt8]] = []
    private var answers: [Result<[UInt8], ControlError>]

    public init(_ answers: [[UInt8]]) { self.answers = answers.map { .success($0) } }

    public init(results: [Result<[UInt8], ControlError>]) { answers = results }

    public func resolve(family: String) throws(ControlError) -> UInt16 {
        guard family == "kmemcache" else { throw .moduleNotLoaded }
        return Self.family
    }

    public func send(_ message: [UInt8]) throws(ControlError) { sent.append(message) }

    public func receive() throws(ControlError) -> [UInt8] {
        guard !answers.isEmpty else { throw .system(call: "mock", reason: "no more answers") }
        return try answers.removeFirst().get()
    }
}

// Replies, put together by hand: independent of the code under test.

public func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<MemoryLayout<Value>.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// struct nlattr and payload, padded.
public func attribute(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
    let bytes = little(UInt16(4 + payload.count)) + little(type) + payload
    return bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
}

public func nest(_ type: UInt16, _ attributes: [UInt8]...) -> [UInt8] {
    attribute(type | 0x8000, attributes.flatMap { $0 })
}

public func zero(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

/// struct nlmsghdr and payload.
public func message(
    type: UInt16 = MockTransport.family, flags: UInt16 = 0, sequence: UInt32 = 1, port: UInt32 = MockTransport.port,
    _ payload: [UInt8]
) -> [UInt8] {
    little(UInt32(16 + payload.count)) + little(type) + little(flags) + little(sequence) + little(port) + payload
}

/// A reply of the family: struct genlmsghdr and attributes.
public func reply(command: UInt8, sequence: UInt32 = 1, _ attributes: [UInt8]...) -> [UInt8] {
    message(sequence: sequence, [command, 1, 0, 0] + attributes.flatMap { $0 })
}

/// The end of a request: struct nlmsgerr, capped, with the kernel's sentence if there is one.
public func verdict(_ code: Int32 = 0, sequence: UInt32 = 1, sentence: String? = nil) -> [UInt8] {
    let echo =
        little(UInt32(20)) + little(MockTransport.family) + little(UInt16(5)) + little(sequence) + little(UInt32(0))
    let capped: UInt16 = 0x100
    let withAttributes: UInt16 = 0x200
    let attributes = sentence.map { attribute(1, zero($0)) } ?? []
    return message(
        type: 2, flags: capped | (sentence == nil ? 0 : withAttributes), sequence: sequence,
        little(-code) + echo + attributes)
}
