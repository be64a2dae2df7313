// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The file that `MEMCACHED_PORT_FILENAME` names: one line for each port, for whoever started the server.
enum PortFile {
    static let variable = "MEMCACHED_PORT_FILENAME"

    /// Written beside it first and renamed, so that it is complete as soon as it is there.
    static func write(_ sockets: [ListeningSockets.Socket], to path: String) throws(Failure) {
        let draft = path + ".lck"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failed(draft) }
        Console.write(text(sockets), to: descriptor)
        guard close(descriptor) == 0, rename(draft, path) == 0 else { throw failed(path) }
    }

    static func text(_ sockets: [ListeningSockets.Socket]) -> String {
        sockets.compactMap { socket in
            let kind = socket.isDatagram ? "UDP" : "TCP"
            return switch socket.endpoint {
            case .ipv4(_, let port): "\(kind) INET: \(port)\n"
            case .ipv6(_, let port): "\(kind) INET6: \(port)\n"
            case .unix, .other: nil
            }
        }.joined()
    }

    private static func failed(_ path: String) -> Failure {
        Failure(
            "the ports cannot be written to \(path), which \(variable) names: \(describe(errno: errno))",
            status: ExitStatus.system)
    }
}
