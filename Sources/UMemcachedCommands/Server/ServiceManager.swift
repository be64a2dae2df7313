// SPDX-License-Identifier: MIT

import Glibc

/// The notices of sd_notify(3) to whoever started us as a service. Without `NOTIFY_SOCKET` nothing is told.
struct ServiceManager {
    static let variable = "NOTIFY_SOCKET"

    /// A path, or `@` and an abstract name.
    let socket: String?

    init(socket: String? = getenv(Self.variable).map { String(cString: $0) }) {
        self.socket = socket
    }

    /// With our own number: behind `-d` we are not the process that was started.
    func isReady() { tell("READY=1\nMAINPID=\(getpid())") }

    func isReloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        tell("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    func isStopping() { tell("STOPPING=1") }

    /// A notice that does not arrive changes nothing for the server.
    private func tell(_ notice: String) {
        guard let socket, socket.hasPrefix("/") || socket.hasPrefix("@") else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(socket.utf8)
        guard name.count <= MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        if name[0] == UInt8(ascii: "@") { address.sun_path.0 = 0 }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(notice.utf8)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
