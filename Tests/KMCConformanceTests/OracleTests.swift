// SPDX-License-Identifier: MIT

import Foundation
import KMCConformance
import KMCProtocolModel
import Testing

/// The model against Debian's memcached: whatever the model claims, a memcached does.
@Suite struct OracleTests {
    /// What judges a commit gives each the same sequences; `umemcached conformance` itself looks for new ones.
    private func seeded() -> Conformance.Options {
        var options = Conformance.Options()
        options.seed = 40_000
        return options
    }

    private func expectNoDifference(_ report: ConformanceReport) {
        let passed = report.passed
        #expect(passed, "\(report.lines.joined(separator: "\n"))")
        #expect(report.version == "1.6.18")
    }

    @Test func everythingOverUnix() throws {
        let server = try Memcached(.unix, ["-A", "-m", "1024"])
        var options = seeded()
        options.operations = 30_000
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        expectNoDifference(report)
        #expect(report.skipped.map(\.scenario) == ["eviction", "memory-full"])
        #expect(report.scenarios.count == Scenario.all.count { $0.fits(server.endpoint) } - 2)
        #expect(report.hitPercent >= Conformance.leastHitPercent)
        #expect(report.sequences == 60)
    }

    @Test func everythingOverUDP() throws {
        // One thread: of several, a later request may overtake an earlier one.
        let server = try Memcached(.udp, ["-t", "1"])
        var options = seeded()
        options.operations = 5000
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        expectNoDifference(report)
        #expect(report.scenarios.contains("udp-lengths") && !report.scenarios.contains("sizes"))
        #expect(report.skipped.isEmpty && report.hitPercent >= Conformance.leastHitPercent)
    }

    @Test func everythingAfterAPassword() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kmc-users-\(UUID().uuidString.prefix(8))")
        try "foo:bar\n".write(to: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: path) }
        let server = try Memcached(.unix, ["-Y", path.path])
        var options = seeded()
        options.operations = 3000
        // Not the gate itself: 1.6.18 lets in who adds to a right password.
        options.scenarios = ["set", "meta-get"]
        options.login = Login(.text, user: "foo", password: "bar")
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        expectNoDifference(report)

        options.login = Login(.text, user: "foo", password: "baz")
        #expect(throws: EndpointError.self) {
            try Conformance.run(endpoint: server.endpoint, options: options)
        }
    }

    @Test(arguments: [1, 20_000, 300_000] as [UInt64])
    func randomOverTCP(_ seed: UInt64) throws {
        let server = try Memcached(.tcp, seed == 1 ? [] : ["-m", "1024"])
        var options = seeded()
        options.seed = seed
        options.operations = 20_000
        options.allowed.remove(.waits)
        options.scenarios = seed == 1 ? nil : []
        expectNoDifference(try Conformance.run(endpoint: server.endpoint, options: options))
    }

    @Test func manyClientsAndLongSequences() throws {
        let server = try Memcached(.unix, ["-m", "1024"])
        var options = seeded()
        options.clients = 32
        options.sequenceLength = 4000
        options.operations = 20_000
        options.scenarios = []
        expectNoDifference(try Conformance.run(endpoint: server.endpoint, options: options))
    }

    @Test func eviction() throws {
        let server = try Memcached(.unix, ["-m", "16"])
        let report = try fill(server, "eviction")
        expectNoDifference(report)
        #expect(report.scenarios == ["eviction"])
    }

    @Test func memoryFull() throws {
        let server = try Memcached(.unix, ["-m", "16", "-M"])
        let report = try fill(server, "memory-full")
        let count = report.differences.count
        #expect(count == 0, "\(report.lines.joined(separator: "\n"))")
        #expect(report.scenarios == ["memory-full"])
    }

    /// The counter of uniques: where it begins and what takes one, as a number.
    @Test func uniquesOfAFreshServer() throws {
        let server = try Memcached(.unix)
        let conversation = [
            "decr k 1", "set k 0 0 1\r\n1", "gets k", "add k 0 0 1\r\nx", "set k 0 0 1\r\n5", "gets k", "incr k 1", "gets k",
        ].flatMap { Bytes.line($0) }
        let expected = ServerModel(dialect: .v1_6_18).connect().receive(conversation)
        #expect(try server.converse(conversation, expecting: expected.count) == expected)
    }

    private func fill(_ server: Memcached, _ scenario: String) throws -> ConformanceReport {
        var options = seeded()
        options.scenarios = [scenario]
        options.operations = scenario == "eviction" ? 500 : 0
        options.allowed = Set(Scenario.Need.allCases)
        return try Conformance.run(endpoint: server.endpoint, options: options)
    }
}

@Suite struct EndpointTests {
    @Test func reading() {
        #expect(Endpoint(tcp: "127.0.0.1:11213") == .tcp(host: "127.0.0.1", port: 11213))
        #expect(Endpoint(tcp: "[::1]:1") == .tcp(host: "::1", port: 1))
        #expect(Endpoint(udp: "[::1]:1") == .udp(host: "::1", port: 1) && Endpoint(udp: "host") == nil)
        for text in ["", "host", "host:", ":1", "host:0", "host:70000", "host:x"] { #expect(Endpoint(tcp: text) == nil) }
        #expect("\(Endpoint.tcp(host: "::1", port: 1))" == "tcp [::1]:1" && "\(Endpoint.udp(host: "a", port: 1))" == "udp a:1")
    }

    @Test func nothingThere() {
        #expect(throws: EndpointError.self) { try Conformance.run(endpoint: .unix(path: "/nonexistent/socket")) }
        #expect(throws: EndpointError.self) { try Conformance.run(endpoint: .tcp(host: "127.0.0.1", port: 1)) }
        #expect(throws: EndpointError.pathTooLong(String(repeating: "x", count: 200))) {
            try Conformance.run(endpoint: .unix(path: String(repeating: "x", count: 200)))
        }
    }

    @Test func anUnknownVersionIsNotJudged() throws {
        let server = try ModelServer(version: "1.4.5")
        defer { server.stop() }
        #expect(throws: EndpointError.notMemcached("version 1.4.5")) { try Conformance.run(endpoint: server.endpoint) }
    }
}
