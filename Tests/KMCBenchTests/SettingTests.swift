// SPDX-License-Identifier: MIT

import Testing

@testable import KMCBench

struct SettingTests {
    @Test(arguments: ["get", "set", "mget", "mg", "mixed:30:1", "mixed:9:1"])
    func mixesReadAsTheyPrint(text: String) {
        #expect(Mix(text)?.description == text)
    }

    @Test func mixedAloneIsThirtyToOne() {
        #expect(Mix("mixed") == .mixed(gets: 30))
    }

    @Test(arguments: ["", "GET", "mixed:", "mixed:0:1", "mixed:3:2", "mixed:3", "mixed:x:1"])
    func otherMixesAreRefused(text: String) {
        #expect(Mix(text) == nil)
    }

    @Test(arguments: ["uniform", "zipf:0.99", "zipf:1.0"]) func popularitiesReadAsTheyPrint(text: String) {
        #expect(Popularity(text)?.description == text)
    }

    @Test(arguments: ["", "zipf:", "zipf:0", "zipf:-1", "uniform:1", "zipf:1:2"])
    func otherPopularitiesAreRefused(text: String) {
        #expect(Popularity(text) == nil)
    }

    @Test func theBinaryProtocolHasNoMetaCommands() {
        #expect(Workload(mix: .mg, dialect: .binary).complaint == "mg is for the text protocol")
        #expect(Workload(mix: .get, dialect: .binary).complaint == nil)
    }

    @Test func endpointsRead() {
        #expect(Endpoint(tcp: "host") == .tcp(host: "host", port: 11211))
        #expect(Endpoint(tcp: "10.0.0.1:99") == .tcp(host: "10.0.0.1", port: 99))
        #expect(Endpoint(tcp: "[::1]:99") == .tcp(host: "::1", port: 99))
        #expect(Endpoint(tcp: "[::1]")?.description == "[::1]:11211")
        for text in ["", ":1", "host:", "host:0", "host:65536", "[::1", "[::1]x", "a:b:c"] {
            #expect(Endpoint(tcp: text) == nil, "\(text)")
        }
    }

    @Test func settingsOutOfRangeAreNamed() {
        #expect(Workload(keySize: 7).complaint != nil)
        #expect(Workload(keySize: 251).complaint != nil)
        #expect(Workload(depth: 0).complaint != nil)
        #expect(Workload().complaint == nil)
        let endpoint = Endpoint.unix(path: "/x")
        #expect(Bench(endpoint: endpoint, workload: Workload(), connections: 2, threads: 3).complaint != nil)
        #expect(Bench(endpoint: endpoint, workload: Workload(), limit: .seconds(0)).complaint != nil)
        #expect(Bench(endpoint: endpoint, workload: Workload(), limit: .requests(0)).complaint == nil)
        #expect(Bench(endpoint: endpoint, workload: Workload(), rate: 0).complaint != nil)
    }

    @Test func aScheduleIsTheSameForTheSameSeed() {
        let keys = { (seed: UInt64) in
            let plan = Plan(Workload(keys: 1000, seed: seed))
            return (0..<100).map { plan.script.pointee.keys($0)[0] }
        }
        #expect(keys(1) == keys(1))
        #expect(keys(1) != keys(2))
    }
}

struct ReportTests {
    @Test func figuresFollowFromCounts() {
        var report = Report()
        report.add(Tally(requests: 200, keys: 4800, hits: 4700, misses: 100))
        report.nanoseconds = 500_000_000
        for _ in 0..<200 { report.latencies.record(12_500) }
        #expect(report.requestsPerSecond == 400)
        #expect(report.keysPerSecond == 9600)
        #expect(report.isClean)
        #expect(report.json.hasPrefix(#"{"requests": 200, "keys": 4800, "seconds": 0.500000, "requests_per_second": 400.0, "#))
        #expect(report.json.contains(#""p50_us": 12.5, "p99_us": 12.5"#))
        report.add(Tally(wrong: 1))
        #expect(!report.isClean)
    }

    @Test func numbersKeepTheirDecimals() {
        #expect(fixed(0, 1) == "0.0")
        #expect(fixed(12.345, 2) == "12.35")
        #expect(fixed(1.05, 3) == "1.050")
        #expect(fixed(7.6, 0) == "8")
    }
}
