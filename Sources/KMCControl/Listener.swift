// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import Glibc

/// A socket to be handed to the module (`KMC_A_LISTENER` of `KMC_CMD_NEW`).
public struct ListenerRequest: Equatable, Sendable {
    /// A listening socket of this process, or a bound one for datagrams. The module takes a reference of its own; the descriptor stays the caller's.
    public var descriptor: Int32
    /// What its connections may speak, where that differs from the instance's setting.
    public var wireProtocol: WireProtocol?
    /// 1 to `KMC_TAG_MAX` bytes.
    public var tag: String?

    public init(descriptor: Int32, wireProtocol: WireProtocol? = nil, tag: String? = nil) {
        self.descriptor = descriptor
        self.wireProtocol = wireProtocol
        self.tag = tag
    }

    func encode(into message: borrowing MessageWriter) throws(ControlError) {
        try message.put(KMC_L_FD.rawValue, descriptor)
        if let wireProtocol { try message.put(KMC_L_PROTOCOL.rawValue, wireProtocol.rawValue) }
        if let tag { try message.put(KMC_L_TAG.rawValue, tag) }
    }
}

/// A socket that an instance serves (`KMC_A_LISTENER` of a reply).
public struct Listener: Equatable, Sendable {
    public var endpoint: Endpoint
    /// Somebody ended its listening from outside: nobody can connect here any more.
    public var isShut: Bool
    /// UDP.
    public var isDatagram: Bool
    public var tag: String?

    public init(endpoint: Endpoint, isShut: Bool, isDatagram: Bool = false, tag: String? = nil) {
        self.endpoint = endpoint
        self.isShut = isShut
        self.isDatagram = isDatagram
        self.tag = tag
    }

    /// As a person reads it.
    public var description: String { endpoint.description + (isDatagram ? " (UDP)" : "") }

    init(_ attributes: Attributes) throws(ControlError) {
        endpoint = try Endpoint(attributes)
        isShut = try attributes.integer(KMC_L_SHUT.rawValue, as: UInt8.self) ?? 0 != 0
        let kind = try attributes.integer(KMC_L_TYPE.rawValue, as: UInt8.self)
        isDatagram = kind.map { UInt32($0) == SOCK_DGRAM.rawValue } ?? false
        tag = attributes.string(KMC_L_TAG.rawValue)
    }
}

/// Where an instance listens.
public enum Endpoint: Equatable, Sendable {
    /// A TCP address in its usual notation, and port.
    case ipv4(String, port: UInt16)
    case ipv6(String, port: UInt16)
    /// A unix socket's path.
    case unix(String)
    /// A family that this program does not know.
    case other(family: UInt16)

    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix, .other: nil
        }
    }

    /// As it is written behind `-l` or `-s`.
    public var description: String {
        switch self {
        case .ipv4(let address, let port): "\(address):\(port)"
        case .ipv6(let address, let port): "[\(address)]:\(port)"
        case .unix(let path): path
        case .other(let family): "(address family \(family))"
        }
    }

    init(_ attributes: Attributes) throws(ControlError) {
        guard let family: UInt16 = try attributes.integer(KMC_L_FAMILY.rawValue) else {
            throw .badReply("a listener without family")
        }
        let address = attributes.payload(KMC_L_ADDRESS.rawValue) ?? []
        switch Int32(family) {
        case AF_INET:
            self = .ipv4(try Self.text(AF_INET, address, 4), port: try Self.port(attributes))
        case AF_INET6:
            self = .ipv6(try Self.text(AF_INET6, address, 16), port: try Self.port(attributes))
        case AF_UNIX:
            self = .unix(String(decoding: address.prefix { $0 != 0 }, as: UTF8.self))
        default:
            self = .other(family: family)
        }
    }

    private static func port(_ attributes: Attributes) throws(ControlError) -> UInt16 {
        guard let port: UInt16 = try attributes.integer(KMC_L_PORT.rawValue) else {
            throw .badReply("a listener without port")
        }
        return port
    }

    private static func text(_ family: Int32, _ address: ArraySlice<UInt8>, _ length: Int) throws(ControlError)
        -> String
    {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = address.withUnsafeBytes { bytes -> Bool in
            bytes.count == length && inet_ntop(family, bytes.baseAddress, &buffer, socklen_t(buffer.count)) != nil
        }
        guard written else { throw .badReply("an address of \(address.count) bytes") }
        return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}
