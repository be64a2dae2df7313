// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The file that `MEMCACHED_PORT_FILENAME` names: one line for each port, for whoever started the server.
enum PortFile {
    static let variable = "MEMCACHED_PORT_FILENAME"

    /// Written beside it first and renamed, so that it is complete as soon as it is there.
    static func write(_ endpoints: [Endpoint], to path: String) throws(Failure) {
        let draft = path + ".lck"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failed(draft) }
        Console.write(text(endpoints), to: descriptor)
        guard close(descriptor) == 0, rename(draft, path) == 0 else { throw failed(path) }
    }

    static func text(_ endpoints: [Endpoint]) -> String {
        endpoints.compactMap { endpoint in
            switch endpoint {
            case .ipv4(_, let port): "TCP INET: \(port)\n"
            case .ipv6(_, let port): "TCP INET6: \(port)\n"
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
