// SPDX-License-Identifier: MIT

/// Where a server listens.
public enum Endpoint: Equatable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    /// Each request in a datagram of its own (protocol.txt, "UDP protocol").
    case udp(host: String, port: UInt16)

    /// Reads `host:port`, `[v6]:port`.
    public init?(tcp text: String) {
        guard let (host, port) = Self.parse(text) else { return nil }
        self = .tcp(host: host, port: port)
    }

    /// Reads `host:port`, `[v6]:port`.
    public init?(udp text: String) {
        guard let (host, port) = Self.parse(text) else { return nil }
        self = .udp(host: host, port: port)
    }

    /// Whether requests and answers are datagrams, not bytes of a stream.
    public var isDatagram: Bool {
        if case .udp = self { return true }
        return false
    }

    private static func parse(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return host.isEmpty ? nil : (host, port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): "tcp \(Self.shown(host)):\(port)"
        case .udp(let host, let port): "udp \(Self.shown(host)):\(port)"
        case .unix(let path): "unix \(path)"
        }
    }

    private static func shown(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }
}
