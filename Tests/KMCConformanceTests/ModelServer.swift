// SPDX-License-Identifier: MIT

import Foundation
import KMCConformance
import KMCProtocolModel

/// The model behind a unix socket: a server of the dialect that no memcached speaks, and one that can be spoilt.
final class ModelServer: @unchecked Sendable {
    let endpoint: Endpoint
    private let path: String
    private let listener: Int32
    private let lock = NSLock()
    private let model: ServerModel
    /// Changes what is sent; sees what was received and what would be right.
    private let spoil: @Sendable (_ received: Bytes, _ sent: Bytes) -> Bytes?

    /// - Parameter spoil: nil closes the connection.
    init(
        dialect: Dialect = .kmemcache, version: String = "1.6.45-kmemcache-0",
        spoil: @escaping @Sendable (Bytes, Bytes) -> Bytes? = { $1 }
    ) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("kmc-\(UUID().uuidString.prefix(8))").path
        endpoint = .unix(path: path)
        model = ServerModel(dialect: dialect, options: .init(version: version))
        self.spoil = spoil
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 512) == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        Thread.detachNewThread { [self] in accept() }
    }

    /// Ends the server once the test is done; its threads hold it until then.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            Thread.detachNewThread { [self] in serve(client) }
        }
        close(listener)
    }

    private func serve(_ client: Int32) {
        let connection = lock.withLock { model.connect() }
        var buffer = Bytes(repeating: 0, count: 16384)
        while true {
            let count = read(client, &buffer, buffer.count)
            guard count > 0 else { break }
            let received = Bytes(buffer.prefix(count))
            let (right, ends) = lock.withLock {
                model.cache.clock = Int64(time(nil))
                return (connection.receive(received), connection.isClosed)
            }
            guard let sent = spoil(received, right), send(client, sent), !ends else { break }
        }
        close(client)
    }

    private func send(_ client: Int32, _ bytes: Bytes) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
