// SPDX-License-Identifier: MIT

import Foundation
import Testing

@testable import KMCBench

/// Debian's memcached on a unix socket or on ports of its own, for one test.
final class Memcached {
    let endpoint: Endpoint
    /// With `tcp`: the endpoint of the same server over UDP.
    let udp: Endpoint?
    private let directory: String
    private let process: pid_t

    /// Over TCP it takes what ports are free and names them in a file: one that was free a moment ago need not be.
    init(tcp: Bool) throws {
        var template = Array("/tmp/kmc-bench-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        self.directory = directory
        process = try Self.spawn(in: directory, tcp ? ["-l", "127.0.0.1", "-p", "-1", "-U", "-1"] : ["-s", directory + "/socket"])
        guard tcp else {
            let endpoint = Endpoint.unix(path: directory + "/socket")
            (self.endpoint, udp) = (endpoint, nil)
            try Self.wait(for: process) { (try? Socket(connectingTo: endpoint))?.close() != nil }
            return
        }
        try Self.wait(for: process) { access(directory + "/ports", R_OK) == 0 }
        let ports = try String(contentsOfFile: directory + "/ports", encoding: .utf8).split(separator: "\n")
        func port(_ name: String) throws -> UInt16 {
            try #require(ports.first { $0.hasPrefix(name) }?.split(separator: " ").last.flatMap { UInt16($0) })
        }
        endpoint = .tcp(host: "127.0.0.1", port: try port("TCP INET:"))
        udp = .udp(host: "127.0.0.1", port: try port("UDP INET:"))
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        for name in ["socket", "ports"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    private static func spawn(in directory: String, _ place: [String]) throws -> pid_t {
        let arguments = ["memcached", "-t", "2", "-m", "64"] + (getuid() == 0 ? ["-u", "root"] : []) + place
        var words = arguments.map { strdup($0) } + [nil]
        var variables = [strdup("MEMCACHED_PORT_FILENAME=\(directory)/ports"), nil]
        defer { (words + variables).forEach { free($0) } }
        var process = pid_t()
        let status = posix_spawnp(&process, "memcached", nil, nil, &words, &variables)
        try #require(status == 0, "Debian's package memcached is needed")
        return process
    }

    /// Waits until the server serves. The two minutes bound a hang.
    private static func wait(for process: pid_t, until serves: () -> Bool) throws {
        for _ in 0..<4800 {
            if serves() { return }
            try #require(waitpid(process, nil, WNOHANG) == 0, "memcached has ended")
            usleep(25_000)
        }
        try #require(Bool(false), "memcached did not start")
    }

    /// Sends `text` and drops the answer.
    func tell(_ text: String) throws {
        let socket = try Socket(connectingTo: endpoint)
        defer { socket.close() }
        var bytes = Array(text.utf8)
        let sent = try bytes.withUnsafeMutableBytes { try socket.send($0.baseAddress!, $0.count) }
        #expect(sent == bytes.count)
        let answer = try bytes.withUnsafeMutableBytes { try socket.receive(into: $0, wait: true) }
        #expect(answer > 0)
    }
}

@Suite(.serialized, .timeLimit(.minutes(15))) struct LiveTests {
    @Test(arguments: [Mix.get, .set, .mget, .mg, .mixed(gets: 3)], [false, true])
    func everyMixIsAnsweredAndVerified(mix: Mix, tcp: Bool) throws {
        let server = try Memcached(tcp: tcp)
        for (connections, depth, threads) in [(1, 1, 1), (5, 4, 2)] {
            let workload = Workload(mix: mix, keys: 50, keysPerGet: 7, depth: depth)
            let bench = Bench(
                endpoint: server.endpoint, workload: workload, connections: connections, threads: threads,
                limit: .requests(301), warmup: 20)
            try bench.fill()
            let report = try bench.run()
            #expect(report.requests == 301)
            #expect(report.keys == (mix == .mget ? 301 * 7 : 301))
            #expect(report.isClean && report.misses == 0)
            #expect(mix == .set ? report.hits == 0 : report.hits > 200)
            #expect(report.latencies.totalCount == 301)
            #expect(report.nanoseconds > 0)
        }
    }

    @Test(arguments: [Mix.get, .mget, .mg]) func aPlantedWrongValueIsFound(mix: Mix) throws {
        let server = try Memcached(tcp: false)
        let workload = Workload(mix: mix, keys: 10, keySize: 12, valueSize: 20)
        let bench = Bench(endpoint: server.endpoint, workload: workload, limit: .requests(200))
        try bench.fill()
        #expect(try bench.run().isClean)
        try server.tell("set \(name(3, 12)) 0 0 20\r\n00000003XXXXXXXXXXXX\r\n")
        let report = try bench.run()
        #expect(report.wrong > 0)
        #expect(!report.isClean)
    }

    @Test func missesAreCountedNotHidden() throws {
        let server = try Memcached(tcp: false)
        let bench = Bench(endpoint: server.endpoint, workload: Workload(keys: 10), limit: .requests(100))
        let report = try bench.run()
        #expect(report.misses == 100 && report.hits == 0)
    }

    @Test func batchesLargerThanTheSocketsGoThrough() throws {
        let server = try Memcached(tcp: false)
        for connections in [1, 3] {
            let workload = Workload(mix: .mixed(gets: 1), keys: 8, valueSize: 500_000, depth: 8)
            let bench = Bench(
                endpoint: server.endpoint, workload: workload, connections: connections, limit: .requests(96))
            try bench.fill()
            let report = try bench.run()
            #expect(report.requests == 96 && report.isClean && report.misses == 0)
        }
    }

    @Test func aTimeLimitEndsTheRun() throws {
        let server = try Memcached(tcp: false)
        let bench = Bench(
            endpoint: server.endpoint, workload: Workload(keys: 10), connections: 2, limit: .seconds(0.2))
        let report = try bench.run()
        #expect(report.requests > 0)
        // How much later it ends is the machine's affair; it has ended.
        #expect(report.nanoseconds >= 200_000_000)
    }

    @Test(arguments: [Mix.get, .set, .mget, .mg, .mixed(gets: 3)], [1, 2000])
    func datagramsAreAnsweredAndVerified(mix: Mix, valueSize: Int) throws {
        let server = try Memcached(tcp: true)
        for (connections, depth, threads) in [(1, 1, 1), (4, 2, 2)] {
            let workload = Workload(mix: mix, keys: 50, valueSize: .fixed(valueSize), keysPerGet: 3, depth: depth)
            let bench = Bench(
                endpoint: try #require(server.udp), workload: workload, connections: connections, threads: threads,
                limit: .requests(202), warmup: 20)
            // A set must fit into one datagram of 1400 bytes (memcached protocol.txt, "UDP protocol").
            try Bench(endpoint: server.endpoint, workload: workload).fill()
            if mix == .set || mix == .mixed(gets: 3), valueSize > 1300 { continue }
            let report = try bench.run()
            #expect(report.isClean && report.misses == 0 && report.lost == 0)
            #expect(report.requests == 202)
        }
    }

    @Test(arguments: [Mix.get, .set, .mixed(gets: 3)], [1, 7]) func theBinaryProtocolIsSpoken(mix: Mix, depth: Int) throws {
        let server = try Memcached(tcp: true)
        for endpoint in [server.endpoint, try #require(server.udp)] {
            let workload = Workload(mix: mix, dialect: .binary, keys: 40, depth: depth)
            let bench = Bench(endpoint: endpoint, workload: workload, connections: 2, limit: .requests(301))
            try bench.fill()
            let report = try bench.run()
            #expect(report.requests == 301 && report.isClean && report.misses == 0)
        }
        try server.tell("set \(name(3, 16)) 0 0 4\r\nnope\r\n")
        try server.tell("delete \(name(4, 16))\r\n")
        guard mix == .get else { return }
        let workload = Workload(mix: .get, dialect: .binary, keys: 40, depth: depth)
        let report = try Bench(endpoint: server.endpoint, workload: workload, limit: .requests(600)).run()
        #expect(report.wrong > 0 && report.misses > 0 && report.errors == 0)
        #expect(report.hits + report.wrong + report.misses == 600)
    }

    @Test(arguments: [SizeLaw.etc, .usr]) func publishedShapesAreVerified(law: SizeLaw) throws {
        let server = try Memcached(tcp: false)
        let workload = Workload(
            mix: .mixed(gets: 30), keys: 300, popularity: .zipf(0.99), keySize: law, valueSize: law, depth: 3)
        let bench = Bench(endpoint: server.endpoint, workload: workload, connections: 3, limit: .requests(600))
        try bench.fill()
        let report = try bench.run()
        #expect(report.requests == 600 && report.isClean && report.misses == 0)
    }

    /// A whole filling reads whole: every key is there.
    @Test(arguments: [33, 64, 1000]) func fillingStoresEveryKey(keys: Int) throws {
        let server = try Memcached(tcp: false)
        let bench = Bench(endpoint: server.endpoint, workload: Workload(keys: keys), limit: .requests(20 * keys))
        try bench.fill()
        #expect(try bench.run().misses == 0)
    }

    @Test func anOpenLoopSendsWhatIsDue() throws {
        let server = try Memcached(tcp: false)
        let bench = Bench(
            endpoint: server.endpoint, workload: Workload(keys: 10), connections: 3, threads: 2,
            limit: .requests(150), rate: 500)
        try bench.fill()
        let report = try bench.run()
        #expect(report.requests == 150 && report.misses == 0)
        // 150 at 500 a second are due over 0.3 s; no server makes that shorter.
        #expect(report.nanoseconds > 250_000_000)
        #expect(report.json.contains(#""rate": 500.0"#))
    }

    @Test func aStoppedRunSaysWhatItSaw() throws {
        let server = try Memcached(tcp: false)
        let bench = Bench(
            endpoint: server.endpoint, workload: Workload(keys: 10), connections: 2, limit: .seconds(600))
        try bench.fill()
        let report = try bench.run(stop: { true })
        #expect(report.requests > 0 && report.isClean)
        #expect(report.nanoseconds < 60_000_000_000)
    }

    @Test func nobodyThereIsASentence() {
        let bench = Bench(endpoint: .unix(path: "/nonexistent/socket"), workload: Workload())
        #expect(throws: BenchFailure("cannot connect to /nonexistent/socket: No such file or directory")) {
            try bench.run()
        }
    }
}
