// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Sockets that listen. Their descriptors are closed with this value; the module holds references of its own by then.
final class ListeningSockets {
    struct Socket {
        let descriptor: Int32
        let endpoint: Endpoint
        var isDatagram = false
        var wireProtocol: WireProtocol?
        var tag: String?

        var request: ListenerRequest {
            ListenerRequest(descriptor: descriptor, wireProtocol: wireProtocol, tag: tag)
        }
    }

    private(set) var sockets: [Socket] = []
    /// Of a unix socket: to be removed when the server is gone.
    private(set) var path: UnixPath?

    deinit { close() }

    func close() {
        for socket in sockets { Glibc.close(socket.descriptor) }
        sockets = []
    }

    /// Opens what a command line asks for.
    ///
    /// - Parameters:
    ///   - inherited: sockets that somebody else opened for us: they come in place of `-p`, `-l` and `-s`
    ///   - complain: hears what went wrong and does not keep the server from serving
    ///   - owner: who of ours listens on a port already, for the sentence
    static func open(
        _ options: ServerOptions, inherited: [Socket] = [], complain: @escaping (String) -> Void = { _ in },
        owner: (UInt16) -> String?
    ) throws(Failure) -> ListeningSockets {
        let opened = ListeningSockets()
        guard inherited.isEmpty else {
            opened.sockets = inherited
            return opened
        }
        let backlog = Int32(options.settings.backlog ?? ServerOptions.defaultBacklog)
        if let path = options.unixPath {
            try opened.openUnix(path, options, backlog: backlog)
            return opened
        }
        let texts = options.listen.isEmpty ? ["*"] : options.listen
        let addresses = try texts.map { (text) throws(Failure) in try ListenAddress(text) }
        let mark = SocketMark(value: options.socketMark ?? 0, complain: complain)
        try opened.open(addresses, on: options.tcpPort, option: "-p", kind: SOCK_STREAM) {
            (info) throws(Failure) in try TCPListener.open(info, backlog: backlog, mark: mark, owner: owner)
        }
        try opened.open(addresses, on: options.udpPort ?? 0, option: "-U", kind: SOCK_DGRAM) {
            (info) throws(Failure) in try UDPSocket.open(info, mark: mark, owner: owner)
        }
        return opened
    }

    /// - Parameter port: 0: none of this kind, whatever the addresses say
    private func open(
        _ addresses: [ListenAddress], on port: Int32, option: String, kind: __socket_type,
        with open: (addrinfo) throws(Failure) -> Socket?
    ) throws(Failure) {
        guard port != 0 else { return }
        guard port >= -1 else {
            throw Failure("\(option) \(port) is no port: give 1 to 65535, or -1 for any", status: ExitStatus.system)
        }
        for address in addresses {
            try self.open(address, port: address.port ?? port, kind: kind, with: open)
        }
    }

    private func openUnix(_ path: String, _ options: ServerOptions, backlog: Int32) throws(Failure) {
        let mask = options.settings.unixMask ?? ServerOptions.defaultUnixMask
        let descriptor = try UnixPath.listen(path, mask: mask, backlog: backlog)
        sockets.append(Socket(descriptor: descriptor, endpoint: .unix(path)))
        self.path = UnixPath(path)
    }

    /// A socket for every address that the host's name stands for.
    private func open(
        _ address: ListenAddress, port: Int32, kind: __socket_type, with open: (addrinfo) throws(Failure) -> Socket?
    ) throws(Failure) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(kind.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(max(port, 0)), &hints, &list)
        guard status == 0 else {
            throw Failure(
                "the address \"\(address.host ?? "*")\" cannot be resolved (\(String(cString: gai_strerror(status)))): "
                    + "give an address of this machine with -l", status: ExitStatus.system)
        }
        defer { freeaddrinfo(list) }
        var next = list
        let before = sockets.count
        while let info = next {
            if var socket = try open(info.pointee) {
                socket.wireProtocol = address.wireProtocol
                socket.tag = address.tag
                sockets.append(socket)
            }
            next = info.pointee.ai_next
        }
        guard sockets.count > before else {
            throw Failure(
                "no address family of \"\(address.host ?? "*")\" is offered by this machine: give another one with -l",
                status: ExitStatus.system)
        }
    }
}
