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

    enum Transport { case unix, tcp }

    init(_ transport: Transport, _ arguments: [String] = []) throws {
        let path = "/usr/bin/memcached"
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is missing: apt-get install memcached")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kmc-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let ports = folder.appendingPathComponent("ports").path
        let socket = folder.appendingPathComponent("s").path
        let place = transport == .unix ? ["-s", socket] : ["-l", "127.0.0.1", "-p", "-1", "-U", "0"]
        let user = geteuid() == 0 ? ["-u", "root"] : []
        process = try Self.spawn([path] + place + ["-t", "2"] + user + arguments, ["MEMCACHED_PORT_FILENAME=\(ports)"])
        let file = transport == .unix ? socket : ports
        for _ in 0..<250 where !FileManager.default.fileExists(atPath: file) { usleep(20_000) }
        try #require(FileManager.default.fileExists(atPath: file), "memcached did not start")
        if transport == .unix {
            endpoint = .unix(path: socket)
        } else {
            let lines = try String(contentsOfFile: ports, encoding: .utf8).split(separator: "\n")
            let port = try #require(lines.first { $0.hasPrefix("TCP INET:") }?.split(separator: " ").last.flatMap { UInt16($0) })
            endpoint = .tcp(host: "127.0.0.1", port: port)
        }
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Sends bytes over the unix socket and reads as many as are expected.
    func converse(_ bytes: [UInt8], expecting count: Int) throws -> [UInt8] {
        guard case .unix(let path) = endpoint else { return [] }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0 && write(descriptor, bytes, bytes.count) == bytes.count)
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
