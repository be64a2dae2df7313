// SPDX-License-Identifier: MIT

import Foundation
import KMCConformance
import Testing

/// Debian's memcached, started for a test and ended with it.
///
/// A machine without it fails the test: the model would go unchecked.
final class Memcached: Sendable {
    let endpoint: Endpoint
    private let process: pid_t
    private let folder: URL

    enum Transport { case unix, tcp, udp }

    init(_ transport: Transport, _ arguments: [String] = []) throws {
        let path = "/usr/bin/memcached"
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is missing: apt-get install memcached")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kmc-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let ports = folder.appendingPathComponent("ports").path
        let socket = folder.appendingPathComponent("s").path
        let place =
            switch transport {
            case .unix: ["-s", socket]
            case .tcp: ["-l", "127.0.0.1", "-p", "-1", "-U", "0"]
            case .udp: ["-l", "127.0.0.1", "-p", "0", "-U", "-1"]
            }
        let user = geteuid() == 0 ? ["-u", "root"] : []
        process = try Self.spawn([path] + place + ["-t", "2"] + user + arguments, ["MEMCACHED_PORT_FILENAME=\(ports)"])
        if transport == .unix {
            endpoint = .unix(path: socket)
            try Self.wait(for: process) { Self.connect(socket).map { close($0) } != nil }
            return
        }
        try Self.wait(for: process) { FileManager.default.fileExists(atPath: ports) }
        let lines = try String(contentsOfFile: ports, encoding: .utf8).split(separator: "\n")
        let name = transport == .tcp ? "TCP INET:" : "UDP INET:"
        let port = try #require(lines.first { $0.hasPrefix(name) }?.split(separator: " ").last.flatMap { UInt16($0) })
        endpoint = transport == .tcp ? .tcp(host: "127.0.0.1", port: port) : .udp(host: "127.0.0.1", port: port)
    }

    /// Waits until the server serves: a socket's file is there before anybody listens. The two minutes bound a hang.
    private static func wait(for process: pid_t, until serves: () -> Bool) throws {
        for _ in 0..<6000 {
            if serves() { return }
            try #require(waitpid(process, nil, WNOHANG) == 0, "memcached has ended")
            usleep(20_000)
        }
        try #require(Bool(false), "memcached does not serve")
    }

    /// A connection to the unix socket, if anybody listens.
    private static func connect(_ path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if connected == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Sends bytes over the unix socket and reads as many as are expected.
    func converse(_ bytes: [UInt8], expecting count: Int) throws -> [UInt8] {
        guard case .unix(let path) = endpoint else { return [] }
        let descriptor = try #require(Self.connect(path))
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < count {
            let length = read(descriptor, &buffer, buffer.count)
            guard length > 0 else { break }
            answer += buffer.prefix(length)
        }
        return answer
    }

    private static func spawn(_ arguments: [String], _ environment: [String]) throws -> pid_t {
        var words = arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, arguments[0], nil, nil, &words, &variables)
        try #require(result == 0, "can't start \(arguments[0]): \(String(cString: strerror(result)))")
        return process
    }
}
