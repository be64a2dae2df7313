// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Runs scenarios and random sequences against a server of the memcached text protocol and compares every reply with
/// the model's.
///
///     let report = try Conformance.run(endpoint: .unix(path: "/run/cache.sock")) { print($0.scenario, $0.commands) }
///     report.lines.forEach { print($0) }
///     exit(report.exitCode)
///
/// Other clients may use the endpoint meanwhile, unless a chosen scenario needs it alone: keys have a prefix of the
/// run's own and are removed afterwards.
public enum Conformance {
    /// Fewer hits than this among the random reads, in percent, and a run has shown too little to pass.
    public static let leastHitPercent = 30

    public struct Options: Sendable {
        /// The first random sequence's seed; chosen by the system if nil.
        public var seed: UInt64?
        /// Commands in random sequences, in all.
        public var operations = 20_000
        /// Commands in one random sequence.
        public var sequenceLength = 500
        /// Clients of one random sequence.
        public var clients = 4
        /// Names of the scenarios to run; all that the endpoint allows if nil, none if empty.
        public var scenarios: Set<String>?
        /// What scenarios may need: by default everything but filling the memory.
        public var allowed: Set<Scenario.Need> = [.flushes, .waits, .alone, .defaultItemSize, .stream, .datagrams, .bothProtocols, .textLogin, .saslLogin]
        /// What each connection begins with, where a server asks who it is.
        public var login: Login?
        /// The dialect to judge by; taken from `version` if nil.
        public var dialect: Dialect?
        /// Seconds that a reply may take, which only bounds a hang.
        public var timeout = 60
        /// Seconds that may be spent to find the fewest steps that show a difference.
        public var minimizing = 60.0
        /// Differences after which the run ends.
        public var mostDifferences = 5

        public init() {}
    }

    /// - Parameter progress: called often; a good place for a progress line, not for work.
    /// - Throws: ``EndpointError`` if there is nothing to run against. A server that fails later is a difference.
    public static func run(
        endpoint: Endpoint, options: Options = Options(), progress: (ConformanceProgress) -> Void = { _ in }
    ) throws -> ConformanceReport {
        try run(endpoint: endpoint, options: options, correction: nil, progress: progress)
    }

    /// - Parameter correction: makes the model wrong on purpose, so that a test sees the judge judge.
    package static func run(
        endpoint: Endpoint, options: Options, correction: (@Sendable (Command, Reply) -> Reply)?,
        progress: (ConformanceProgress) -> Void = { _ in }
    ) throws -> ConformanceReport {
        let target = try probe(endpoint, options, correction)
        return withoutActuallyEscaping(progress) { progress in
            let run = Run(target, options, progress)
            run.scenarios()
            run.sequences()
            return run.finish()
        }
    }

    private static func textVersion(_ target: Target) throws -> [Reply] {
        try Client(target, target.makeModel()).exchange([.line("shutdown nonsense"), .line("version")], versions: 1)
    }

    private static func binaryVersion(_ target: Target) throws -> [Reply] {
        let request = BinaryFrame(0x0B).encoded(BinaryFrame.requestMagic)
        return try Client(target, target.makeModel(), isBinary: true).exchange([request], replies: 1).map { reply in
            guard case .binary(let frame) = reply else { return reply }
            return .version(String(decoding: frame.value, as: UTF8.self))
        }
    }

    /// Asks the endpoint what it is, and, in a way that ends no server, whether it was started with `-A`.
    private static func probe(
        _ endpoint: Endpoint, _ options: Options, _ correction: (@Sendable (Command, Reply) -> Reply)?
    ) throws -> Target {
        let plain = Target(
            endpoint: endpoint, dialect: .v1_6_45, version: "", timeout: options.timeout, limits: ReferenceCache.Limits(), login: options.login)
        let answer: [Reply]
        do {
            answer = try plain.isBinary ? binaryVersion(plain) : textVersion(plain)
        } catch let broken as Client.Broken {
            throw EndpointError.notMemcached(broken.reason)
        }
        guard case .version(let version) = answer.last else { throw EndpointError.notMemcached(answer.shown) }
        guard let dialect = options.dialect ?? Dialect.speaking(version) else { throw EndpointError.notMemcached("version \(version)") }
        return Target(
            endpoint: endpoint, dialect: dialect, version: version, timeout: options.timeout,
            limits: ReferenceCache.Limits(), login: options.login, allowsShutdown: answer.first == .failure(.badShutdownMode), correction: correction)
    }
}
