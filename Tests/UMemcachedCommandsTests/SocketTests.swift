// SPDX-License-Identifier: MIT

import Glibc
import KMCControl
import Testing

@testable import UMemcachedCommands

/// Real sockets, on loopback.
struct TCPSocketTests {
    private static func open(_ words: String...) throws -> ListeningSockets {
        guard case .serve(let options) = try ServerCommandLine.parse(["umemcached"] + words, own: true) else {
            throw Failure("it printed instead", status: 0)
        }
        return try ListeningSockets.open(options, owner: { _ in nil })
    }

    private static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, level, name, &value, &size)
        return value
    }

    @Test func anEphemeralPortListensAndHasMemcachedsOptions() throws {
        let opened = try Self.open("-l", "127.0.0.1", "-p", "-1", "-b", "17")
        let socket = try #require(opened.sockets.first)
        #expect(opened.sockets.count == 1)
        #expect(socket.endpoint.port ?? 0 > 0)
        #expect(Self.option(socket.descriptor, SOL_SOCKET, SO_ACCEPTCONN) == 1)
        #expect(Self.option(socket.descriptor, SOL_SOCKET, SO_REUSEADDR) == 1)
        #expect(Self.option(socket.descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(Self.option(socket.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
    }

    /// The kernel cuts what is above net.core.somaxconn, and shows a listener's backlog where a connection's
    /// acknowledgements would be.
    @Test(arguments: [(["-b", "17"], 17), (["--listen-backlog=33"], 33), ([], 1024)] as [([String], UInt32)])
    func theBacklogIsAsAsked(words: [String], backlog: UInt32) throws {
        let options = try serverOptions(words: ["-l", "127.0.0.1", "-p", "-1"] + words)
        let opened = try ListeningSockets.open(options, owner: { _ in nil })
        let most = try #require(
            UInt32(try text(ofFile: "proc/sys/net/core/somaxconn", from: "/").split(separator: "\n").first ?? ""))
        let descriptor = try #require(opened.sockets.first?.descriptor)
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        #expect(getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0)
        #expect(info.tcpi_sacked == min(backlog, most))
    }

    /// Whether this process may mark sockets: it takes CAP_NET_ADMIN.
    private static let mayMark: Bool = {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var mark: UInt32 = 1
        return setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, socklen_t(MemoryLayout<UInt32>.size)) == 0
    }()

    @Test(.enabled(if: mayMark)) func everySocketHasTheMark() throws {
        let marked = try Self.open("-l", "127.0.0.1", "-p", "-1", "-U", "-1", "-o", "sock_cookie_id=4294967294")
        #expect(marked.sockets.map(\.isDatagram) == [false, true])
        for socket in marked.sockets { #expect(Self.option(socket.descriptor, SOL_SOCKET, SO_MARK) == -2) }
        let plain = try Self.open("-l", "127.0.0.1", "-p", "-1", "-U", "-1")
        for socket in plain.sockets { #expect(Self.option(socket.descriptor, SOL_SOCKET, SO_MARK) == 0) }
    }

    /// As memcached, which says so and goes on.
    @Test func aSocketThatCannotBeMarkedIsComplainedOfOnly() throws {
        let file = Glibc.open("/dev/null", O_RDWR)
        defer { close(file) }
        var complaints: [String] = []
        SocketMark(value: 0) { complaints.append($0) }.set(on: file)
        #expect(complaints.isEmpty)
        SocketMark(value: 5) { complaints.append($0) }.set(on: file)
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains("has no mark") == true)
    }

    @Test func withoutAddressBothFamiliesListen() throws {
        let opened = try Self.open("-p", "-1")
        let ipv6 = opened.sockets.filter { if case .ipv6 = $0.endpoint { true } else { false } }
        let ipv4 = opened.sockets.filter { if case .ipv4("0.0.0.0", _) = $0.endpoint { true } else { false } }
        #expect(ipv4.count == 1)
        for socket in ipv6 { #expect(Self.option(socket.descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 1) }
    }

    @Test func severalAddressesListenAndAPortOfTheirOwnWins() throws {
        let first = try Self.open("-l", "127.0.0.1", "-p", "-1")
        let port = try #require(first.sockets.first?.endpoint.port)
        let opened = try Self.open("-l", "127.0.0.2,127.0.0.3:\(port)", "-l", "127.0.0.4", "-p", "\(port)")
        #expect(
            opened.sockets.map(\.endpoint) == [
                .ipv4("127.0.0.2", port: port), .ipv4("127.0.0.3", port: port), .ipv4("127.0.0.4", port: port),
            ])
    }

    @Test func aTakenPortIsNamed() throws {
        let first = try Self.open("-l", "127.0.0.1", "-p", "-1")
        let port = try #require(first.sockets.first?.endpoint.port)
        let options = try serverOptions("-l", "127.0.0.1", "-p", "\(port)")
        let byOther = failure { () throws(Failure) in try ListeningSockets.open(options, owner: { _ in nil }) }
        #expect(byOther?.status == 71)
        #expect(byOther?.sentence.hasPrefix("127.0.0.1:\(port) is taken by another program") == true)
        let byOurs = failure { () throws(Failure) in
            try ListeningSockets.open(options, owner: { $0 == port ? "tcp-x" : nil })
        }
        #expect(byOurs?.sentence.contains("umemcached stop tcp-x") == true)
    }

    @Test(arguments: [
        ("203.0.113.7", "no address of this machine"), ("no.such.host.invalid", "cannot be resolved"),
    ])
    func anAddressThatIsNotHereIsRefused(address: String, words: String) throws {
        let options = try serverOptions("-l", address, "-p", "-1")
        let refusal = failure { () throws(Failure) in try ListeningSockets.open(options, owner: { _ in nil }) }
        #expect(refusal?.status == 71)
        #expect(refusal?.sentence.contains(words) == true)
    }

    @Test(arguments: [
        (["-U", "-1", "-p", "0"], [false, true]), (["-U", "-1"], [true, true]), (["-U", "0", "-p", "-1"], [true, false]),
        (["-U", "-1", "-p", "-1"], [true, true]), (["-p", "-1"], [true, false]),
    ])
    func tcpAndUDPAreOpenedAsAsked(arguments: [String], kinds: [Bool]) throws {
        let options = try serverOptions(words: ["-l", "proto[ascii]:tag_t_:127.0.0.1"] + arguments)
        let opened = try ListeningSockets.open(options, owner: { _ in nil })
        #expect([false, true].map { kind in opened.sockets.contains { $0.isDatagram == kind } } == kinds)
        #expect(opened.sockets.allSatisfy { $0.tag == "t" && $0.wireProtocol == .text && $0.endpoint.port != 0 })
    }

    @Test func aUDPPortThatIsTakenIsRefused() throws {
        let first = try ListeningSockets.open(
            try serverOptions("-l", "127.0.0.1", "-p", "0", "-U", "-1"), owner: { _ in nil })
        let port = try #require(first.sockets.first?.endpoint.port)
        let options = try serverOptions("-l", "127.0.0.1", "-p", "0", "-U", "\(port)")
        let refusal = failure { () throws(Failure) in try ListeningSockets.open(options, owner: { _ in nil }) }
        #expect(refusal?.status == 71)
        #expect(refusal?.sentence.contains("-U") == true)
    }

    @Test func portsAreWrittenForWhoeverStartedTheServer() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/ports"
        let sockets = [
            ListeningSockets.Socket(descriptor: -1, endpoint: .ipv4("0.0.0.0", port: 5)),
            ListeningSockets.Socket(descriptor: -1, endpoint: .ipv6("::", port: 6)),
            ListeningSockets.Socket(descriptor: -1, endpoint: .unix("/a")),
            ListeningSockets.Socket(descriptor: -1, endpoint: .ipv4("0.0.0.0", port: 7), isDatagram: true),
            ListeningSockets.Socket(descriptor: -1, endpoint: .ipv6("::", port: 8), isDatagram: true),
        ]
        try PortFile.write(sockets, to: path)
        #expect(
            try text(ofFile: path, from: "/") == "TCP INET: 5\nTCP INET6: 6\nUDP INET: 7\nUDP INET6: 8\n")
        #expect(access(path + ".lck", F_OK) == -1)
        let refusal = failure { () throws(Failure) in try PortFile.write([], to: scratch.path + "/no/ports") }
        #expect(refusal?.status == 71)
    }
}

struct UnixSocketTests {
    @Test func thePathHasItsPermissionsAndListens() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        let opened = try ListeningSockets.open(try serverOptions("-s", path, "-a", "0660"), owner: { _ in nil })
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFSOCK | 0o660)
        #expect(opened.sockets.map(\.endpoint) == [.unix(path)])
        opened.path?.remove()
        #expect(lstat(path, &status) == -1)
    }

    /// As many as that may wait, and one more (unix(7) counts what is above the backlog).
    @Test func asManyConnectionsWaitAsTheBacklogSays() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        let opened = try ListeningSockets.open(try serverOptions("-s", path, "-b", "2"), owner: { _ in nil })
        var clients: [Int32] = []
        defer { for client in clients { close(client) } }
        for expected in [0, 0, 0, EAGAIN] {
            let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            clients.append(client)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(client, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect((connected == 0 ? 0 : errno) == expected)
        }
        opened.path?.remove()
    }

    @Test func aStalePathIsRemoved() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        close(try UnixPath.listen(path, mask: 0o700, backlog: 1))
        #expect(UnixPath(path) != nil)
        close(try UnixPath.listen(path, mask: 0o700, backlog: 1))
    }

    @Test func aPathThatIsServedIsRefused() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        let descriptor = try UnixPath.listen(path, mask: 0o700, backlog: 1)
        defer { close(descriptor) }
        let refusal = failure { () throws(Failure) in try UnixPath.listen(path, mask: 0o700, backlog: 1) }
        #expect(refusal?.status == 71)
        #expect(refusal?.sentence.contains("served already") == true)
        UnixPath.removeStale(path)
        #expect(UnixPath(path) != nil)
    }

    @Test func aFileIsNotRemoved() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/f"
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        let refusal = failure { () throws(Failure) in try UnixPath.listen(path, mask: 0o700, backlog: 1) }
        #expect(refusal?.status == 71)
        #expect(refusal?.sentence.contains("is no socket") == true)
        #expect(access(path, F_OK) == 0)
    }

    @Test func aPathThatIsTooLongIsRefused() {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let refusal = failure { () throws(Failure) in try UnixPath.listen(path, mask: 0o700, backlog: 1) }
        #expect(refusal?.sentence.contains("at most 107") == true)
    }

    @Test func aPathThatIsAnotherFileByNowIsNotRemoved() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        let first = try UnixPath.listen(path, mask: 0o700, backlog: 1)
        let old = try #require(UnixPath(path))
        // Kept under another name, so that its inode is not given to the next one.
        rename(path, scratch.path + "/kept")
        let second = try UnixPath.listen(path, mask: 0o700, backlog: 1)
        old.remove()
        #expect(UnixPath(path) != nil)
        close(first)
        close(second)
    }

    @Test func aUserThatIsNotThereHasItsStatus() {
        let refusal = failure { () throws(Failure) in try User(named: "no-such-user-here") }
        #expect(refusal?.status == 67)
    }
}
