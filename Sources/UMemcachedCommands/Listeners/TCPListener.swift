// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Opens one listening TCP socket, with the options that memcached sets.
enum TCPListener {
    /// - Returns: `nil` when the machine does not offer the address family
    static func open(
        _ info: addrinfo, backlog: Int32, mark: SocketMark, owner: (UInt16) -> String?
    ) throws(Failure) -> ListeningSockets.Socket? {
        let kind = info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(info.ai_family, kind, info.ai_protocol)
        if descriptor < 0 {
            if errno == EMFILE || errno == ENFILE { throw failed("socket") }
            return nil
        }
        do throws(Failure) {
            if info.ai_family == AF_INET6 { try turnOn(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
            mark.set(on: descriptor)
            try turnOn(descriptor, SOL_SOCKET, SO_REUSEADDR)
            try setOptions(descriptor)
            try bind(descriptor, info, owner)
            guard listen(descriptor, backlog) == 0 else { throw listenFailed(info, owner) }
            guard let endpoint = endpoint(of: descriptor) else { throw failed("getsockname") }
            return ListeningSockets.Socket(descriptor: descriptor, endpoint: endpoint)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// What its connections inherit.
    static func setOptions(_ descriptor: Int32) throws(Failure) {
        try turnOn(descriptor, SOL_SOCKET, SO_KEEPALIVE)
        try turnOn(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        try noLinger(descriptor)
    }

    static func turnOn(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(Failure) {
        var on: Int32 = 1
        guard setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw failed("setsockopt")
        }
    }

    /// SO_LINGER {0, 0}: closing neither waits nor resets.
    static func noLinger(_ descriptor: Int32) throws(Failure) {
        var value = linger(l_onoff: 0, l_linger: 0)
        guard setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size)) == 0 else {
            throw failed("setsockopt")
        }
    }

    static func bind(_ descriptor: Int32, _ info: addrinfo, _ owner: (UInt16) -> String?) throws(Failure) {
        guard Glibc.bind(descriptor, info.ai_addr, info.ai_addrlen) != 0 else { return }
        throw listenFailed(info, owner)
    }

    /// Why binding or listening failed, from errno.
    ///
    /// - Parameter owner: who of ours listens on a port already
    private static func listenFailed(_ info: addrinfo, _ owner: (UInt16) -> String?) -> Failure {
        let code = errno
        let endpoint = UnsafeRawPointer(info.ai_addr).flatMap { Self.endpoint($0, info.ai_addrlen) }
        let place = endpoint?.description ?? "this address"
        let port = endpoint?.port ?? 0
        let sentence =
            switch code {
            case EADDRINUSE:
                if let name = owner(port) {
                    "\(place) is taken by the instance \(name): stop it with \"umemcached stop \(name)\", "
                        + "or give another port with \(option(info))"
                } else {
                    "\(place) is taken by another program: end that one, or give another port with \(option(info))"
                }
            case EACCES, EPERM:
                "listening on \(place) needs the capability CAP_NET_BIND_SERVICE: run this as root, "
                    + "or give a port of 1024 or above with \(option(info))"
            case EADDRNOTAVAIL:
                "\(place) is no address of this machine: give one that \"ip address\" shows with -l"
            default:
                "listening on \(place) failed: \(describe(errno: code))"
            }
        return Failure(sentence, status: ExitStatus.system)
    }

    private static func option(_ info: addrinfo) -> String {
        info.ai_socktype == Int32(SOCK_DGRAM.rawValue) ? "-U" : "-p"
    }

    static func failed(_ call: String) -> Failure {
        Failure("\(call) failed: \(describe(errno: errno))", status: ExitStatus.system)
    }

    /// Where a socket listens.
    static func endpoint(of descriptor: Int32) -> Endpoint? {
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { bytes in
            var length = socklen_t(bytes.count)
            let address = bytes.baseAddress!
            guard getsockname(descriptor, address.assumingMemoryBound(to: sockaddr.self), &length) == 0 else {
                return nil
            }
            return endpoint(address, length)
        }
    }

    private static func endpoint(_ address: UnsafeRawPointer, _ length: socklen_t) -> Endpoint? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let known = address.assumingMemoryBound(to: sockaddr.self)
        if known.pointee.sa_family == sa_family_t(AF_UNIX) {
            return .unix(path(address.loadUnaligned(as: sockaddr_un.self), length))
        }
        guard getnameinfo(known, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        let text = host.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        switch Int32(known.pointee.sa_family) {
        case AF_INET:
            return .ipv4(text, port: UInt16(bigEndian: address.loadUnaligned(as: sockaddr_in.self).sin_port))
        case AF_INET6:
            return .ipv6(text, port: UInt16(bigEndian: address.loadUnaligned(as: sockaddr_in6.self).sin6_port))
        default:
            return nil
        }
    }

    /// An abstract name begins with a zero byte and is shown without it.
    private static func path(_ address: sockaddr_un, _ length: socklen_t) -> String {
        let count = max(0, Int(length) - MemoryLayout<sa_family_t>.size)
        let bytes = withUnsafeBytes(of: address.sun_path) { Array($0.prefix(count)) }
        return String(decoding: bytes.drop { $0 == 0 }.prefix { $0 != 0 }, as: UTF8.self)
    }
}
