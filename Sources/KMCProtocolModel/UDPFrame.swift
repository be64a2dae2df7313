// SPDX-License-Identifier: MIT

/// The eight bytes before the payload of each datagram (protocol.txt, "UDP protocol").
public struct UDPFrame: Equatable, Sendable {
    static let headerLength = 8
    /// The most bytes that a server puts into a datagram, the header among them (memcached.h, UDP_MAX_PAYLOAD_SIZE).
    public static let mostBytes = 1400

    /// The client's own; comes back in each datagram of the answer.
    public var request: UInt16
    /// The datagram's place in the message.
    public var sequence: UInt16
    /// Datagrams of the message.
    public var total: UInt16
    /// Must be zero, says the protocol; nobody looks.
    public var reserved: UInt16

    public init(request: UInt16, sequence: UInt16 = 0, total: UInt16 = 1, reserved: UInt16 = 0) {
        self.request = request
        self.sequence = sequence
        self.total = total
        self.reserved = reserved
    }

    /// The header of a datagram; nil for one that is too short to have one.
    public init?(_ datagram: Bytes) {
        guard datagram.count >= Self.headerLength else { return nil }
        request = UInt16(datagram[0..<2].bigEndian)
        sequence = UInt16(datagram[2..<4].bigEndian)
        total = UInt16(datagram[4..<6].bigEndian)
        reserved = UInt16(datagram[6..<8].bigEndian)
    }

    public var encoded: Bytes {
        [request, sequence, total, reserved].reduce(into: []) { $0.append(bigEndian: $1) }
    }

    /// A datagram with a request in it.
    public func datagram(_ payload: Bytes) -> Bytes {
        encoded + payload
    }

    /// The request in a datagram; nil for what a server drops: one without a payload, or a part of a longer message.
    public static func request(in datagram: Bytes) -> (frame: UDPFrame, payload: Bytes)? {
        guard let frame = UDPFrame(datagram), datagram.count > headerLength, frame.total == 1 else { return nil }
        return (frame, Bytes(datagram.dropFirst(headerLength)))
    }

    /// The datagrams that carry an answer.
    public static func datagrams(_ answer: Bytes, request: UInt16) -> [Bytes] {
        let room = mostBytes - headerLength
        let pieces = stride(from: 0, to: answer.count, by: room).map { Bytes(answer[$0..<min(answer.count, $0 + room)]) }
        return pieces.enumerated().map { index, piece in
            UDPFrame(request: request, sequence: UInt16(truncatingIfNeeded: index), total: UInt16(truncatingIfNeeded: pieces.count))
                .datagram(piece)
        }
    }
}

/// The client's side: datagrams in any order become an answer.
public struct UDPReplyAssembler {
    public enum Malformed: Error, Equatable {
        case tooShort, tooLong, contradiction, repeated
    }

    private let request: UInt16
    private var pieces: [UInt16: Bytes] = [:]
    private var total: UInt16?

    /// - Parameter request: the identifier of the request; other datagrams are left out.
    public init(request: UInt16) {
        self.request = request
    }

    /// Takes a datagram; the whole answer with the last that was missing.
    public mutating func take(_ datagram: Bytes) throws(Malformed) -> Bytes? {
        guard let frame = UDPFrame(datagram) else { throw .tooShort }
        guard frame.request == request else { return nil }
        guard datagram.count <= UDPFrame.mostBytes else { throw .tooLong }
        guard frame.sequence < frame.total, frame.reserved == 0, total ?? frame.total == frame.total else { throw .contradiction }
        guard pieces.updateValue(Bytes(datagram.dropFirst(UDPFrame.headerLength)), forKey: frame.sequence) == nil else { throw .repeated }
        total = frame.total
        guard pieces.count == Int(frame.total) else { return nil }
        return (0..<frame.total).flatMap { pieces[$0] ?? [] }
    }
}
