// SPDX-License-Identifier: MIT

import Testing

@testable import KMCProtocolModel

/// SASL behind `-S`, as far as it is no single right or wrong answer.
struct GateTests {
    private static let right = Bytes("\0user\0word")

    private static func sasl(_ opcode: UInt8, _ value: Bytes, mechanism: String = "PLAIN") -> Bytes {
        BinaryFrame(opcode, key: Bytes(mechanism), value: value).encoded(BinaryFrame.requestMagic)
    }

    private static func status(of reply: Bytes) -> UInt16 { BinaryHeader(reply.prefix(24)[...]).status }

    /// What each of these is answered with, and whether the last one opens.
    private func statuses(_ said: [Bytes]) -> ([UInt16], Bool) {
        var gate = Gate(.sasl, user: Bytes("user"), password: Bytes("word"), version: "1")
        return (said.map { Self.status(of: gate.receive($0)) }, gate.isOpen)
    }

    @Test func plainWithoutAWordIsAskedToGoOn() {
        #expect(statuses([Self.sasl(0x21, [])]) == ([0x21], false))
        #expect(statuses([Self.sasl(0x21, []), Self.sasl(0x22, Self.right)]) == ([0x21, 0], true))
        #expect(statuses([Self.sasl(0x21, []), Self.sasl(0x21, Self.right)]) == ([0x21, 0], true))
        #expect(statuses([Self.sasl(0x21, []), Self.sasl(0x22, [0])]) == ([0x21, 0x20], false))
    }

    @Test func nobodyGoesOnWhoHasNotBegun() {
        #expect(statuses([Self.sasl(0x22, Self.right)]) == ([0x20], false))
        #expect(statuses([Self.sasl(0x21, [], mechanism: "CRAM-MD5"), Self.sasl(0x22, Self.right)]) == ([0x20, 0x20], false))
        #expect(statuses([Self.sasl(0x21, []), Self.sasl(0x22, [0]), Self.sasl(0x22, Self.right)]) == ([0x21, 0x20, 0x20], false))
    }
}
