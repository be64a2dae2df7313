// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Sockets that a service manager opened for us (sd_listen_fds(3)): `LISTEN_FDS` of them from descriptor 3 on, meant
/// for the process `LISTEN_PID`.
enum InheritedSockets {
    private static let first: Int32 = 3

    /// Takes them over and forgets the variables, so that no child believes they are its own.
    static func take() throws(Failure) -> [ListeningSockets.Socket] {
        guard let process = number("LISTEN_PID"), process == Int64(getpid()), let count = number("LISTEN_FDS") else {
            return []
        }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        var sockets: [ListeningSockets.Socket] = []
        for descriptor in first..<first + Int32(min(max(count, 0), 1024)) {
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0, let endpoint = TCPListener.endpoint(of: descriptor) else {
                throw Failure(
                    "descriptor \(descriptor) of LISTEN_FDS is no socket that can be served: "
                        + "hand over listening TCP and unix sockets, and UDP ones", status: ExitStatus.system)
            }
            let isDatagram = kind(descriptor) == Int32(SOCK_DGRAM.rawValue)
            if endpoint.port != nil, !isDatagram { try TCPListener.setOptions(descriptor) }
            sockets.append(
                ListeningSockets.Socket(descriptor: descriptor, endpoint: endpoint, isDatagram: isDatagram))
        }
        return sockets
    }

    private static func kind(_ descriptor: Int32) -> Int32 {
        var kind: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 ? kind : 0
    }

    private static func number(_ name: String) -> Int64? {
        getenv(name).flatMap { Int64(String(cString: $0)) }
    }
}
