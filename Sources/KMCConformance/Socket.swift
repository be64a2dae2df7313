// SPDX-License-Identifier: MIT

import Glibc
import KMCProtocolModel

/// What went wrong below the protocol.
public enum EndpointError: Error, Equatable, CustomStringConvertible {
    case unreachable(Endpoint, String)
    case unresolved(String)
    case pathTooLong(String)
    case silent(seconds: Int)
    case notMemcached(String)
    case notAdmitted(String)

    public var description: String {
        switch self {
        case .unreachable(let endpoint, let reason): "can't connect to \(endpoint): \(reason)"
        case .unresolved(let host): "can't resolve \(host)"
        case .pathTooLong(let path): "the path of a unix socket is at most 107 bytes: \(path)"
        case .silent(let seconds): "no answer within \(seconds) s"
        case .notAdmitted(let answer): "user or password is not taken: \(answer)"
        case .notMemcached(let answer): "no memcached that the model knows: \(answer)"
        }
    }
}

/// A socket whose every wait has an end. Of UDP, a send is a datagram, and so is what one receive gives.
final class Socket {
    private let descriptor: Int32
    private let timeout: Int

    /// - Parameter timeout: seconds that a wait may last.
    init(_ endpoint: Endpoint, timeout: Int) throws(EndpointError) {
        self.timeout = timeout
        switch endpoint {
        case .tcp(let host, let port): descriptor = try Self.connect(endpoint, host, port, SOCK_STREAM)
        case .udp(let host, let port): descriptor = try Self.connect(endpoint, host, port, SOCK_DGRAM)
        case .unix(let path): descriptor = try Self.connectUnix(endpoint, path)
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    /// Sends everything. What arrives meanwhile is handed over, since a server may stop reading until its replies are.
    ///
    /// - Returns: false if the server has closed the connection.
    func send(_ bytes: Bytes, arriving: (Bytes) -> Void) throws(EndpointError) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let events = try wait(for: Int16(POLLIN | POLLOUT))
            if events & Int16(POLLIN) != 0 {
                guard let some = read() else { return false }
                arriving(some)
            }
            guard events & Int16(POLLOUT | POLLERR | POLLHUP) != 0 else { continue }
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno != EAGAIN, errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Sends what fits without waiting and reads nothing; the number of bytes sent.
    func sendWithoutReading(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { max(0, Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))) }
    }

    /// The next bytes, or nil when the server has closed the connection.
    func receive() throws(EndpointError) -> Bytes? {
        _ = try wait(for: Int16(POLLIN))
        return read()
    }

    private func wait(for events: Int16) throws(EndpointError) -> Int16 {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let ready = poll(&entry, 1, Int32(timeout * 1000))
            if ready > 0 { return entry.revents }
            if ready == 0 { throw .silent(seconds: timeout) }
            if errno != EINTR { return Int16(POLLERR) }
        }
    }

    /// Empty when nothing is there after all, nil at the end or when the connection was reset.
    private func read() -> Bytes? {
        var failed = false
        let bytes = Bytes(unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            let length = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            count = max(0, length)
            failed = length == 0 || length < 0 && errno != EAGAIN && errno != EINTR
        }
        return failed ? nil : bytes
    }
}

// MARK: - Connecting

extension Socket {
    private static func connectUnix(_ endpoint: Endpoint, _ path: String) throws(EndpointError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard path.utf8.count < buffer.count else { return false }
            buffer.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw .pathTooLong(path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        let reason = String(cString: strerror(errno))
        close(descriptor)
        throw .unreachable(endpoint, reason)
    }

    private static func connect(
        _ endpoint: Endpoint, _ host: String, _ port: UInt16, _ type: __socket_type
    ) throws(EndpointError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(type.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { throw .unresolved(host) }
        defer { freeaddrinfo(found) }
        var reason = "no address"
        var entry = found
        while let address = entry?.pointee {
            let kind = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.ai_family, kind, address.ai_protocol)
            if descriptor >= 0, Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                if type == SOCK_STREAM { sendAtOnce(descriptor) } else { makeRoom(descriptor) }
                return descriptor
            }
            reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            entry = address.ai_next
        }
        throw .unreachable(endpoint, reason)
    }

    /// Drip-fed bytes have to leave one by one.
    private static func sendAtOnce(_ descriptor: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// An answer of many datagrams is lost where it doesn't fit; as much as one may ask for.
    private static func makeRoom(_ descriptor: Int32) {
        var bytes: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
}
