// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The mark that packets of a server's TCP and UDP sockets carry (SO_MARK), for firewalls and routing.
struct SocketMark {
    /// 0: none.
    let value: UInt32
    /// Hears why a socket has no mark.
    let complain: (String) -> Void

    /// Marks a socket, and with it all that it sends and the connections it accepts. As with memcached, a socket that
    /// cannot be marked serves without.
    func set(on descriptor: Int32) {
        guard value != 0 else { return }
        var mark = value
        guard setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, socklen_t(MemoryLayout<UInt32>.size)) != 0 else { return }
        complain("a socket has no mark: setsockopt failed: \(describe(errno: errno))")
    }
}
