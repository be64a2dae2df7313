// SPDX-License-Identifier: MIT

import KMCBench
import Testing

@testable import UMemcachedCommands

struct BenchCommandTests {
    private static func bench(_ arguments: String...) throws -> Bench {
        try #require(try Tool.parseAsRoot(["bench"] + arguments) as? BenchCommand).bench()
    }

    @Test func optionsBecomeSettings() throws {
        let bench = try Self.bench(
            "--unix", "/run/x", "--connections", "8", "--threads", "2", "--depth", "16", "--operations", "99",
            "--warmup",
            "7", "--keys", "5", "--key-size", "20", "--value-size", "100", "--mix", "mixed:9:1", "--no-verify",
            "--seed", "3")
        let workload = Workload(
            mix: .mixed(gets: 9), keys: 5, keySize: 20, valueSize: 100, depth: 16, verify: false, seed: 3)
        #expect(bench.endpoint == .unix(path: "/run/x"))
        #expect(bench.workload == workload)
        #expect((bench.connections, bench.threads, bench.warmup) == (8, 2, 7))
        #expect(bench.limit == .requests(99))
    }

    @Test func aServerIsNamedInEachWay() throws {
        #expect(try Self.bench().endpoint == .tcp(host: "127.0.0.1", port: 11211))
        #expect(try Self.bench("a:1").endpoint == .tcp(host: "a", port: 1))
        #expect(try Self.bench("--tcp", "[::1]:2").endpoint == .tcp(host: "::1", port: 2))
        #expect(try Self.bench("--seconds", "1.5").limit == .seconds(1.5))
    }

    @Test func aShapeSetsWhatIsNotSaid() throws {
        let bench = try Self.bench("--shape", "etc", "--value-size", "100", "--rate", "50", "--udp", "a:1")
        #expect(bench.workload == Workload(
            mix: .mixed(gets: 30), popularity: .zipf(0.99), keySize: .etc, valueSize: 100))
        #expect(bench.rate == 50)
        #expect(bench.endpoint == .udp(host: "a", port: 1))
        let binary = try Self.bench("--protocol", "binary", "--popularity", "zipf:1.2", "--key-size", "usr")
        #expect(binary.workload == Workload(dialect: .binary, popularity: .zipf(1.2), keySize: .usr))
    }

    @Test(arguments: [
        ["--tcp", "a:1", "--unix", "/x"], ["a:1", "--tcp", "a:1"], ["--tcp", "a:b"], ["--mix", "put"],
        ["--operations", "1", "--seconds", "1"], ["--depth", "0"], ["--threads", "2"], ["--key-size", "4"],
        ["--udp", "a:1", "--tcp", "a:1"], ["--rate", "0"], ["--protocol", "binary", "--mix", "mg"],
        ["--popularity", "some"], ["--shape", "sys"],
    ])
    func whatCannotBeIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Tool.parseAsRoot(["bench"] + arguments) }
    }
}
