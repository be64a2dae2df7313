// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The path of a unix socket in the file system, and which file it was when it was made.
struct UnixPath {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// `nil` when no socket is at `path`.
    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the path, if it still is that file.
    func remove() {
        guard let now = UnixPath(path), now.device == device, now.inode == inode else { return }
        unlink(path)
    }

    /// Gives the path to a user.
    func give(to user: User) throws(Failure) {
        guard lchown(path, user.id, user.group) == 0 else {
            throw Failure(
                "\(path) cannot be given to \(user.name): \(describe(errno: errno))", status: ExitStatus.system)
        }
    }

    /// Opens a listening unix socket at `path`. A socket's path that nobody serves any more is removed before.
    ///
    /// - Parameter mask: its permissions, as of chmod
    static func listen(_ path: String, mask: UInt32, backlog: Int32) throws(Failure) -> Int32 {
        let address = try address(path)
        try makeRoom(path, address)
        let descriptor = socket(AF_UNIX, streamKind, 0)
        guard descriptor >= 0 else { throw failed(path) }
        do throws(Failure) {
            try TCPListener.noLinger(descriptor)
            var on: Int32 = 1
            for option in [SO_REUSEADDR, SO_KEEPALIVE] {
                setsockopt(descriptor, SOL_SOCKET, option, &on, socklen_t(MemoryLayout<Int32>.size))
            }
            let before = umask(~mask & 0o777)
            let bound = withSocketAddress(address) { bind(descriptor, $0, $1) }
            umask(before)
            guard bound == 0, Glibc.listen(descriptor, backlog) == 0 else { throw failed(path) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Removes a socket's path that nobody serves.
    static func removeStale(_ path: String) {
        guard let address = try? address(path), let file = UnixPath(path), !isServed(address) else { return }
        file.remove()
    }

    private static let streamKind =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    /// Sees to it that `path` can be bound.
    private static func makeRoom(_ path: String, _ address: sockaddr_un) throws(Failure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard let file = UnixPath(path) else {
            throw Failure(
                "\(path) is there and is no socket: remove it, or give another path with -s", status: ExitStatus.system)
        }
        guard !isServed(address) else {
            throw Failure(
                "\(path) is served already: end that server, or give another path with -s", status: ExitStatus.system)
        }
        file.remove()
    }

    /// Whether somebody listens: a stale path refuses connections.
    private static func isServed(_ address: sockaddr_un) -> Bool {
        let descriptor = socket(AF_UNIX, streamKind, 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        return withSocketAddress(address) { connect(descriptor, $0, $1) } == 0 || errno != ECONNREFUSED
    }

    private static func address(_ path: String) throws(Failure) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else {
            throw Failure(
                "the path of -s has \(bytes.count) bytes, a socket's has at most \(room - 1): give a shorter one",
                status: ExitStatus.system)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func withSocketAddress<Result>(
        _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafeBytes(of: address) {
            body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    private static func failed(_ path: String) -> Failure {
        let code = errno
        let advice =
            code == EACCES || code == EPERM || code == EROFS ? ": give a path in a directory that you may write" : ""
        return Failure("listening on \(path) failed: \(describe(errno: code))\(advice)", status: ExitStatus.system)
    }
}
