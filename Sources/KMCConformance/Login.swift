// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Who the clients of a run say they are.
public struct Login: Equatable, Sendable {
    public enum Kind: Sendable {
        /// As a `set`, to a server with `-Y`, which speaks text alone.
        case text
        /// By SASL PLAIN, to a server with `-S`, which speaks binary alone.
        case sasl
    }

    public let kind: Kind
    public let user: String
    public let password: String

    public init(_ kind: Kind, user: String, password: String) {
        self.kind = kind
        self.user = user
        self.password = password
    }

    /// Reads `USER:PASSWORD`.
    public init?(_ kind: Kind, _ text: String) {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return nil }
        self.init(kind, user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
    }

    func gate(version: String) -> Gate {
        Gate(kind == .text ? .text : .sasl, user: Bytes(user), password: Bytes(password), version: version)
    }

    /// What is sent first on each connection.
    func request(password: String? = nil) -> Bytes {
        switch kind {
        case .text: return Self.token(Bytes("\(user) \(password ?? self.password)"))
        case .sasl: return Self.plain(Bytes("\0\(user)\0\(password ?? self.password)"))
        }
    }

    static func token(_ value: Bytes) -> Bytes {
        .line("set who 0 0 \(value.count)") + value + .line("")
    }

    static func plain(_ value: Bytes, mechanism: String = "PLAIN", _ opcode: UInt8 = 0x21) -> Bytes {
        BinaryFrame(opcode, key: Bytes(mechanism), value: value, opaque: 0x53).encoded(BinaryFrame.requestMagic)
    }

    /// Says it on a fresh connection.
    func perform(_ socket: Socket) throws {
        var gate = gate(version: "")
        let wanted = gate.receive(request())
        var seen: Bytes = []
        guard try socket.send(request(), arriving: { seen += $0 }) else { throw EndpointError.notAdmitted("(closed)") }
        while seen.count < wanted.count {
            guard let more = try socket.receive() else { break }
            seen += more
        }
        guard seen == wanted else { throw EndpointError.notAdmitted(seen.escaped(limit: 80)) }
    }
}
