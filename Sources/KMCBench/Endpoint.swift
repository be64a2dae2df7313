// SPDX-License-Identifier: MIT

/// Where the server listens.
public enum Endpoint: Sendable, Equatable {
    case tcp(host: String, port: UInt16)
    case udp(host: String, port: UInt16)
    case unix(path: String)

    /// Reads `HOST`, `HOST:PORT`, `[V6]:PORT`; without a port it is 11211.
    public init?(tcp text: String) {
        guard let (host, port) = Self.address(text) else { return nil }
        self = .tcp(host: host, port: port)
    }

    /// The same for UDP.
    public init?(udp text: String) {
        guard let (host, port) = Self.address(text) else { return nil }
        self = .udp(host: host, port: port)
    }

    /// Whether requests and replies are datagrams.
    var isDatagram: Bool { if case .udp = self { true } else { false } }

    private static func address(_ text: String) -> (String, UInt16)? {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        guard !host.isEmpty else { return nil }
        if rest.isEmpty { return (String(host), 11211) }
        guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
        return (String(host), port)
    }
}

extension Endpoint: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port), .udp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}
