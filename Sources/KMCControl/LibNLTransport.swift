// SPDX-License-Identifier: MIT

import CLibNL
import Glibc

/// A generic netlink socket of libnl. Closed with its owner.
public final class LibNLTransport: NetlinkTransport {
    private let socket: OpaquePointer

    public init() throws(ControlError) {
        guard let socket = nl_socket_alloc() else {
            throw .system(call: "nl_socket_alloc", reason: describe(errno: ENOMEM))
        }
        self.socket = socket
        try Self.check("connecting to generic netlink", genl_connect(socket))
        // A reply may be larger than libnl's first guess of a page.
        nl_socket_enable_msg_peek(socket)
        // The life of an attached instance hangs on this descriptor: no child may inherit it.
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .system(call: "fcntl(FD_CLOEXEC)", reason: describe(errno: errno))
        }
        try enable(NETLINK_EXT_ACK)
        try enable(NETLINK_CAP_ACK)
    }

    deinit { nl_socket_free(socket) }

    public var port: UInt32 { nl_socket_get_local_port(socket) }

    public var descriptor: Int32 { nl_socket_get_fd(socket) }

    public func resolve(family: String) throws(ControlError) -> UInt16 {
        let id = genl_ctrl_resolve(socket, family)
        if id == -NLE_OBJ_NOTFOUND { throw .moduleNotLoaded }
        try Self.check("looking up the netlink family \(family)", id)
        return UInt16(id)
    }

    public func send(_ message: [UInt8]) throws(ControlError) {
        let status = message.withUnsafeBytes { bytes in
            nl_sendto(socket, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
        try Self.check("sending to the kernel module", status)
    }

    public func receive() throws(ControlError) -> [UInt8] {
        while true {
            var sender = sockaddr_nl()
            var buffer: UnsafeMutablePointer<UInt8>?
            let count = nl_recv(socket, &sender, &buffer, nil)
            defer { free(buffer) }
            if count == -NLE_NOMEM { throw .eventsLost }
            try Self.check("receiving from the kernel module", count)
            // Port 0 is the kernel; another process could only pretend to be it.
            guard count > 0, sender.nl_pid == 0, let buffer else { continue }
            return [UInt8](UnsafeBufferPointer(start: buffer, count: Int(count)))
        }
    }

    private func enable(_ option: Int32) throws(ControlError) {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(descriptor, SOL_NETLINK, option, &on, size) == 0 else {
            throw .system(call: "setsockopt(NETLINK)", reason: describe(errno: errno))
        }
    }

    private static func check(_ doing: String, _ status: Int32) throws(ControlError) {
        guard status >= 0 else { throw .system(call: doing, reason: String(cString: nl_geterror(status))) }
    }
}
