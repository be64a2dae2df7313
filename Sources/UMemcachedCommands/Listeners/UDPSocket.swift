// SPDX-License-Identifier: MIT

import Glibc

/// Opens one UDP socket for a server.
enum UDPSocket {
    /// - Returns: `nil` when the machine does not offer the address family
    static func open(
        _ info: addrinfo, mark: SocketMark, owner: (UInt16) -> String?
    ) throws(Failure) -> ListeningSockets.Socket? {
        let kind = info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(info.ai_family, kind, info.ai_protocol)
        if descriptor < 0 {
            if errno == EMFILE || errno == ENFILE { throw TCPListener.failed("socket") }
            return nil
        }
        do throws(Failure) {
            if info.ai_family == AF_INET6 { try TCPListener.turnOn(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
            mark.set(on: descriptor)
            maximizeSendBuffer(descriptor)
            // No SO_REUSEADDR: it would let a second server take the first one's datagrams.
            try TCPListener.bind(descriptor, info, owner)
            guard let endpoint = TCPListener.endpoint(of: descriptor) else { throw TCPListener.failed("getsockname") }
            return ListeningSockets.Socket(descriptor: descriptor, endpoint: endpoint, isDatagram: true)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// As far as net.core.wmem_max lets us; the kernel cuts what is more.
    private static func maximizeSendBuffer(_ descriptor: Int32) {
        var most: Int32 = 256 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &most, socklen_t(MemoryLayout<Int32>.size))
    }
}
