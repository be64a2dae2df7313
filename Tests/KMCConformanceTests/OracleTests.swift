// SPDX-License-Identifier: MIT

import KMCConformance
import KMCProtocolModel
import Testing

/// The model against Debian's memcached: whatever the model claims, a memcached does.
@Suite struct OracleTests {
    private func expectNoDifference(_ report: ConformanceReport) {
        let passed = report.passed
        #expect(passed, "\(report.lines.joined(separator: "\n"))")
        #expect(report.version == "1.6.18")
    }

    @Test func everythingOverUnix() throws {
        let server = try Memcached(.unix, ["-A", "-m", "1024"])
        var options = Conformance.Options()
        options.operations = 30_000
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        expectNoDifference(report)
        #expect(report.skipped.map(\.scenario) == ["eviction", "memory-full"])
        #expect(report.scenarios.count == Scenario.all.count - 2)
        #expect(report.hitPercent >= Conformance.leastHitPercent)
        #expect(report.sequences == 60)
    }

    @Test(arguments: [1, 20_000, 300_000] as [UInt64])
    func randomOverTCP(_ seed: UInt64) throws {
        let server = try Memcached(.tcp, seed == 1 ? [] : ["-m", "1024"])
        var options = Conformance.Options()
        options.seed = seed
        options.operations = 20_000
        options.allowed.remove(.waits)
        options.scenarios = seed == 1 ? nil : []
        expectNoDifference(try Conformance.run(endpoint: server.endpoint, options: options))
    }

    @Test func manyClientsAndLongSequences() throws {
        let server = try Memcached(.unix, ["-m", "1024"])
        var options = Conformance.Options()
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
        var options = Conformance.Options()
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
        for text in ["", "host", "host:", ":1", "host:0", "host:70000", "host:x"] { #expect(Endpoint(tcp: text) == nil) }
        #expect("\(Endpoint.tcp(host: "::1", port: 1))" == "tcp [::1]:1")
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
