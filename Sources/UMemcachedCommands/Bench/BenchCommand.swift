// SPDX-License-Identifier: MIT

import ArgumentParser
import Glibc
import KMCBench

extension Mix: ExpressibleByArgument {}
extension Dialect: ExpressibleByArgument {}
extension SizeLaw: ExpressibleByArgument {}
extension Popularity: ExpressibleByArgument {}

/// A published load, as one option: sizes, popularity and mix together.
enum Shape: String, CaseIterable, ExpressibleByArgument {
    case etc, usr

    var size: SizeLaw { self == .etc ? .etc : .usr }
    /// ETC has 30 gets for a set; USR next to none but gets (0.2 % of its requests store).
    var mix: Mix { .mixed(gets: self == .etc ? 30 : 499) }
}

/// `umemcached bench`: load for any memcached, every value verified.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Load a memcached, verify every value and say how fast it was.",
        discussion: """
            Each connection sends a batch of --depth requests with one call and sends the next one when all replies \
            are there, or, with --rate, whenever one is due: then times count from when it was due, so that a server \
            that stalls is charged for all that waited. A value's bytes follow from its key, so each one is compared \
            with what it must be. Ctrl-C prints the summary so far. The exit status is 1 if a value was wrong or a \
            reply was an error.
            """)

    @Argument(help: ArgumentHelp("Server on TCP, as --tcp.", valueName: "host:port"))
    var server: String?

    @Option(help: ArgumentHelp("Server on TCP (default 127.0.0.1:11211).", valueName: "host:port"))
    var tcp: String?

    @Option(help: ArgumentHelp("Server on UDP.", valueName: "host:port"))
    var udp: String?

    @Option(name: .customLong("unix"), help: ArgumentHelp("Server on a unix socket.", valueName: "path"))
    var unixPath: String?

    @Option(help: "Connections, dealt out to the threads.")
    var connections = 1

    @Option(help: "Requests that a connection sends at once.")
    var depth = 1

    @Option(help: "Threads.")
    var threads = 1

    @Option(help: "Requests to send, over all connections (default 100000; 0 only fills).")
    var operations: Int?

    @Option(help: "Seconds to run, instead of --operations.")
    var seconds: Double?

    @Option(help: "Requests per second, over all connections, sent when they are due (default: when replies came).")
    var rate: Double?

    @Option(help: "Requests before the measurement starts.")
    var warmup = 0

    @Option(help: "Distinct keys.")
    var keys = 10_000

    @Option(help: "How often each key is asked for: uniform, zipf (0.99) or zipf:EXPONENT.")
    var popularity: Popularity?

    @Option(help: "Bytes of a key, 8 to 250, or etc or usr.")
    var keySize: SizeLaw?

    @Option(help: "Bytes of a value, or etc or usr.")
    var valueSize: SizeLaw?

    @Option(help: "get, set, mget, mg, mixed (30:1) or mixed:GETS:1.")
    var mix: Mix?

    @Option(help: "Sizes and mix of Facebook's pools (Atikoglu et al. 2012), Zipf 0.99; other options go before.")
    var shape: Shape?

    @Option(name: .customLong("protocol"), help: "Protocol of the requests.")
    var dialect: Dialect = .text

    @Option(help: "Keys in one request of mget.")
    var keysPerGet = 24

    @Option(help: "Start of the random sequence of keys.")
    var seed: UInt64 = 1

    @Flag(inversion: .prefixedNo, help: "Store every key once before a run that reads.")
    var fill = true

    @Flag(inversion: .prefixedNo, help: "Compare every value that is read.")
    var verify = true

    @Flag(help: "Print one JSON object.")
    var json = false

    init() {}

    func validate() throws {
        guard [server, tcp, udp, unixPath].count(where: { $0 != nil }) <= 1 else {
            throw ValidationError("HOST:PORT, --tcp, --udp and --unix: one server at a time")
        }
        if operations != nil && seconds != nil { throw ValidationError("--operations and --seconds: one limit at a time") }
        if let complaint = try bench().complaint { throw ValidationError(complaint) }
    }

    func run() throws {
        let bench = try bench()
        let report: Report
        do throws(BenchFailure) {
            if fill && bench.workload.mix.reads { try bench.fill() }
            Interruption.catchFirst()
            report = try bench.run(stop: { Interruption.came }, progress: showProgress)
        } catch {
            throw Failure(error.description, status: ExitStatus.system)
        }
        if isatty(STDERR_FILENO) == 1 { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
        Console.out((json ? report.json : report.text) + "\n")
        if !report.isClean {
            throw Failure("\(report.wrong) wrong values, \(report.errors) errors", status: ExitStatus.failure)
        }
    }

    func bench() throws -> Bench {
        let workload = Workload(
            mix: mix ?? shape?.mix ?? .get, dialect: dialect, keys: keys,
            popularity: popularity ?? (shape == nil ? .uniform : .zipf(0.99)),
            keySize: keySize ?? shape?.size ?? 16, valueSize: valueSize ?? shape?.size ?? 32,
            keysPerGet: keysPerGet, depth: depth, verify: verify, seed: seed)
        return Bench(
            endpoint: try endpoint(), workload: workload, connections: connections, threads: threads,
            limit: seconds.map { .seconds($0) } ?? .requests(operations ?? 100_000), rate: rate, warmup: warmup)
    }

    private func endpoint() throws -> Endpoint {
        if let unixPath { return .unix(path: unixPath) }
        let text = server ?? tcp ?? udp ?? "127.0.0.1:11211"
        guard let endpoint = udp == nil ? Endpoint(tcp: text) : Endpoint(udp: text) else {
            throw ValidationError("\(text) is not HOST, HOST:PORT or [V6]:PORT")
        }
        return endpoint
    }

    /// One line that is written over, for a person who waits.
    private func showProgress(_ requests: Int, _ elapsed: Int) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let average = requests / max(elapsed, 1)
        Console.write("\r\u{1B}[K\(elapsed) s  \(requests) requests  \(average)/s", to: STDERR_FILENO)
    }
}
