// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Requests over UDP: each a datagram with a number of its own, whose answer is put together from the datagrams that
/// bear it. What is lost is an error: between two sockets of one machine nothing is, and a request may not be repeated
/// that might have been heard.
final class Datagrams {
    /// What came back is no answer.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// The most bytes of a request, the frame not among them, on a loopback of 64 KiB and in memcached's buffer.
    static let mostBytes = 60_000

    private let socket: Socket
    private let answersSilence: Bool
    private var request: UInt16
    /// What arrived while something was sent.
    private var early: [Bytes] = []

    /// - Parameter first: the number of the first request; each has the next.
    init(_ target: Target, first: UInt16 = .random(in: 0 ... .max)) throws(EndpointError) {
        socket = try Socket(target.endpoint, timeout: target.timeout)
        answersSilence = target.dialect.answersSilence
        request = first
    }

    /// Sends a request; its number.
    func tell(_ payload: Bytes) throws -> UInt16 {
        request &+= 1
        try send(UDPFrame(request: request).datagram(payload))
        return request
    }

    /// Sends a request; its whole answer.
    func ask(_ payload: Bytes) throws -> Bytes {
        try answer(to: tell(payload))
    }

    /// Sends a datagram as it is.
    func send(_ datagram: Bytes) throws {
        guard datagram.count <= Self.mostBytes + UDPFrame(request: 0).encoded.count else {
            throw Malformed(description: "\(datagram.count) bytes are too many for a datagram")
        }
        guard try socket.send(datagram, arriving: { early.append($0) }) else { throw Malformed(description: "nobody listens") }
    }

    /// The whole answer to the request of that number. Another's is a mistake of the server's.
    func answer(to request: UInt16) throws -> Bytes {
        var assembler = UDPReplyAssembler(request: request)
        while true {
            let datagram = try next()
            if answersSilence, let frame = UDPFrame(datagram), frame.total == 0, datagram == frame.encoded { continue }
            guard UDPFrame(datagram)?.request == request else {
                throw Malformed(description: "an answer to another request than \(request): \"\(datagram.escaped(limit: 80))\"")
            }
            if let whole = try assembler.take(datagram) { return whole }
        }
    }

    private func next() throws -> Bytes {
        if !early.isEmpty { return early.removeFirst() }
        while true {
            guard let datagram = try socket.receive() else { throw Malformed(description: "nobody listens") }
            if !datagram.isEmpty { return datagram }
        }
    }
}
