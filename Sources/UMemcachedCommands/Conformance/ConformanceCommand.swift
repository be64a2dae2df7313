// SPDX-License-Identifier: MIT

import ArgumentParser
import Glibc
import KMCConformance

/// `umemcached conformance`
struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Compare a server's answers with memcached's, and show where they differ.",
        discussion: """
            Runs scenarios and random sequences of the text, meta and binary commands against any memcached, under keys of \
            its own. The exit status is 1 for a difference, and 2 when too little was seen to tell.
            """)

    @Option(help: ArgumentHelp("Server on TCP (default 127.0.0.1:11211).", valueName: "host:port"))
    var tcp: String?

    @Option(name: .customLong("unix"), help: ArgumentHelp("Server on a unix socket.", valueName: "path"))
    var unixPath: String?

    @Option(help: ArgumentHelp("Server on UDP.", valueName: "host:port"))
    var udp: String?

    @Option(help: ArgumentHelp("Who to be at a server with -Y.", valueName: "user:password"))
    var login: String?

    @Option(help: ArgumentHelp("Who to be at a server with -S.", valueName: "user:password"))
    var sasl: String?

    @Option(help: "Seed of the first random sequence; chosen when absent, and printed.")
    var seed: UInt64?

    @Option(help: "Commands in random sequences, in all; 0 for scenarios only.")
    var operations = Conformance.Options().operations

    @Option(
        name: .customLong("scenario"), help: ArgumentHelp("Only this scenario; may be given again.", valueName: "name"))
    var scenarios: [String] = []

    @Flag(help: "Also run what fills the server's memory (up to 128 MiB).")
    var fill = false

    @Flag(name: .customLong("list"), help: "List the scenarios, and run nothing.")
    var isListing = false

    func validate() throws {
        if [tcp, unixPath, udp].count(where: { $0 != nil }) > 1 { throw ValidationError("Give one of --tcp, --unix and --udp.") }
        if login != nil && sasl != nil || udp != nil && (login ?? sasl) != nil { throw ValidationError("Give one of --login, --sasl and --udp.") }
        if (login ?? sasl).map({ Login(.text, $0) == nil }) == true { throw ValidationError("--login and --sasl take USER:PASSWORD.") }
        if operations < 0 { throw ValidationError("--operations is a number from 0 up.") }
        let names = Scenario.all.map(\.name)
        for name in scenarios where !names.contains(name) {
            throw ValidationError("There is no scenario \"\(name)\": --list shows them.")
        }
        _ = try endpoint()
    }

    func run() throws {
        if isListing {
            Console.out(Format.text.render(Scenario.all.map { ($0.name, $0.purpose) }))
            return
        }
        let isWatched = isatty(STDERR_FILENO) == 1
        let report: ConformanceReport
        do {
            report = try Conformance.run(endpoint: try endpoint(), options: options) { progress in
                if isWatched { Console.write(Self.line(progress), to: STDERR_FILENO) }
            }
        } catch let error as EndpointError {
            throw Failure("\(error)", status: ExitStatus.system)
        }
        if isWatched { Console.write(Self.clear, to: STDERR_FILENO) }
        Console.out(report.lines.map { $0 + "\n" }.joined())
        throw ExitCode(report.exitCode)
    }

    private var options: Conformance.Options {
        var options = Conformance.Options()
        options.seed = seed
        options.operations = operations
        options.login = login.flatMap { Login(.text, $0) } ?? sasl.flatMap { Login(.sasl, $0) }
        if !scenarios.isEmpty { options.scenarios = Set(scenarios) }
        if fill { options.allowed.formUnion([.evicts, .fills]) }
        return options
    }

    private func endpoint() throws -> Endpoint {
        if let unixPath { return .unix(path: unixPath) }
        if let udp {
            guard let endpoint = Endpoint(udp: udp) else { throw ValidationError("--udp takes HOST:PORT or [V6]:PORT, not \"\(udp)\".") }
            return endpoint
        }
        guard let endpoint = Endpoint(tcp: tcp ?? "127.0.0.1:11211") else {
            throw ValidationError("--tcp takes HOST:PORT or [V6]:PORT, not \"\(tcp ?? "")\".")
        }
        return endpoint
    }

    /// To the line's start, and what is on it away.
    private static let clear = "\r\u{1b}[K"

    private static func line(_ progress: ConformanceProgress) -> String {
        "\(clear)\(progress.done)/\(progress.total)  \(printable(progress.scenario))  \(progress.commands) commands, "
            + "\(progress.differences) differences"
    }
}
