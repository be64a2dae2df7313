// SPDX-License-Identifier: MIT

import Glibc

/// A connected socket. Blocking; whoever must not wait says so per call.
struct Socket: BitwiseCopyable {
    let descriptor: Int32
    let isDatagram: Bool

    /// How long a wait in `receive` takes at most on a datagram socket: what has not come then is lost. Long enough for a
    /// server that has to wait for a CPU.
    static let datagramPatience: UInt64 = 5_000_000_000

    /// Connects to `endpoint`, to the first of its addresses that answers.
    init(connectingTo endpoint: Endpoint) throws(BenchFailure) {
        isDatagram = endpoint.isDatagram
        switch endpoint {
        case .tcp(let host, let port): descriptor = try Self.connect(host, port, Int32(SOCK_STREAM.rawValue), endpoint)
        case .udp(let host, let port): descriptor = try Self.connect(host, port, Int32(SOCK_DGRAM.rawValue), endpoint)
        case .unix(let path): descriptor = try Self.connectUnix(path, endpoint)
        }
    }

    /// Closes the descriptor.
    func close() {
        _ = Glibc.close(descriptor)
    }

    /// Ends both directions, so that a thread that waits in `receive` returns.
    func shutDown() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Sends what fits now; returns how much that was, 0 included.
    func send(_ bytes: UnsafeMutableRawPointer, _ count: Int) throws(BenchFailure) -> Int {
        while true {
            let sent = Glibc.send(descriptor, bytes, count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if sent >= 0 { return sent }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { throw BenchFailure("cannot send", errno: errno) }
        }
    }

    /// Sends one datagram, waiting for room. One that a full queue drops on its way is lost, and found to be later.
    func sendDatagram(_ bytes: UnsafeMutableRawPointer, _ count: Int) throws(BenchFailure) {
        while Glibc.send(descriptor, bytes, count, Int32(MSG_NOSIGNAL)) < 0 {
            if errno == ENOBUFS { return }
            if errno != EINTR { throw BenchFailure("cannot send", errno: errno) }
        }
    }

    /// Receives into `room`, waiting for the first byte if `wait`; returns 0 if nothing is there and it need not wait,
    /// or need not wait longer.
    func receive(into room: UnsafeMutableRawBufferPointer, wait: Bool) throws(BenchFailure) -> Int {
        while true {
            let flags = wait ? 0 : Int32(MSG_DONTWAIT)
            let count = recv(descriptor, room.baseAddress, room.count, flags)
            if count > 0 { return count }
            if count == 0 && !isDatagram { throw BenchFailure("the server closed the connection") }
            if count == 0 || errno == EAGAIN { return 0 }
            if errno != EINTR { throw BenchFailure("cannot receive", errno: errno) }
        }
    }

    /// Waits until bytes can be received or sent.
    func waitReady() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
        poll(&entry, 1, -1)
    }

    private static func connect(
        _ host: String, _ port: UInt16, _ type: Int32, _ endpoint: Endpoint
    ) throws(BenchFailure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = type
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw BenchFailure("cannot resolve \(host): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(list) }
        var failure = ENOENT
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let descriptor = socket(address.ai_family, address.ai_socktype | closeOnExec, address.ai_protocol)
            guard descriptor >= 0 else { failure = errno; continue }
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                prepare(descriptor, type)
                return descriptor
            }
            failure = errno
            _ = Glibc.close(descriptor)
        }
        throw BenchFailure("cannot connect to \(endpoint)", errno: failure)
    }

    /// TCP sends at once; a wait for a datagram ends.
    private static func prepare(_ descriptor: Int32, _ type: Int32) {
        if type == Int32(SOCK_STREAM.rawValue) {
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        } else {
            var limit = timeval(tv_sec: Int(datagramPatience / 1_000_000_000), tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func connectUnix(_ path: String, _ endpoint: Endpoint) throws(BenchFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard path.utf8.count <= room else { throw BenchFailure("the path \(path) is longer than \(room) bytes") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        guard descriptor >= 0 else { throw BenchFailure("cannot make a socket", errno: errno) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            let failure = errno
            _ = Glibc.close(descriptor)
            throw BenchFailure("cannot connect to \(endpoint)", errno: failure)
        }
        return descriptor
    }

    private static let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
}
