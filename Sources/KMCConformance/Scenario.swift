// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// A named sequence about one behaviour.
public struct Scenario: Sendable {
    /// What a scenario needs of the endpoint, or does to it.
    public enum Need: String, Sendable, CaseIterable {
        /// Empties the endpoint with `flush_all`.
        case flushes
        /// Waits some seconds.
        case waits
        /// Fills the memory until items are evicted; only for a memory limit of at most 128 MiB, and not under `-M`.
        case evicts
        /// Fills the memory until stores are refused; only for a memory limit of at most 128 MiB, and only under `-M`.
        case fills
        /// Counts what `stats` says, so nobody else may use the endpoint.
        case alone
        /// The default item size of 1 MiB.
        case defaultItemSize
        /// A stream: what it sends, or what comes back, is too long for datagrams, comes in pieces or ends the connection.
        case stream
        /// Datagrams.
        case datagrams
        /// That the binary protocol is spoken, too.
        case bothProtocols
        /// A server with `-Y`.
        case textLogin
        /// A server with `-S`.
        case saslLogin
    }

    public let name: String
    /// What it shows, in a sentence.
    public let purpose: String
    public let needs: Set<Need>
    let body: @Sendable (Stage) throws -> Void

    init(_ name: String, _ purpose: String, needs: Set<Need> = [], _ body: @escaping @Sendable (Stage) throws -> Void) {
        self.name = name
        self.purpose = purpose
        self.needs = needs
        self.body = body
    }

    /// All scenarios in the order in which they run.
    public static let all: [Scenario] =
        storing + retrieving + changing + administrative + meta + binary.map { $0.needing(.bothProtocols) } + datagrams + logins
        + (badInput + manyBytes).map { $0.needing(.stream) } + timed
        + filling.map { $0.needing(.stream) }

    /// Whether the endpoint's transport can carry it, and who logs in there may do it.
    public func fits(_ endpoint: Endpoint, _ login: Login? = nil) -> Bool {
        if needs.contains(endpoint.isDatagram ? .stream : .datagrams) { return false }
        switch login?.kind {
        case nil: return needs.isDisjoint(with: [.textLogin, .saslLogin])
        case .text: return needs.isDisjoint(with: [.saslLogin, .bothProtocols])
        case .sasl: return needs.contains(.saslLogin)
        }
    }

    private func needing(_ need: Need) -> Scenario {
        Scenario(name, purpose, needs: needs.union([need]), body)
    }
}

/// What a scenario acts through: everything is done at the endpoint and in the model, and compared.
final class Stage {
    let executor: Executor
    let prefix = RandomSequence.freshPrefix()
    /// What items have to live that are seen to expire, in seconds; more where the machine was too slow for less.
    let life: Int32
    /// All that has been done, to be shown if it fails.
    private(set) var history: [Step] = []

    init(_ target: Target, life: Int32 = 2) {
        self.life = life
        executor = Executor(target)
    }

    /// What a scenario found that isn't a reply: a counter, a figure.
    struct Finding: Error {
        let expected: String
        let seen: String
    }

    /// See ``Dialect/readsHugeNumbers``.
    var readsHugeNumbers: Bool { executor.target.dialect.readsHugeNumbers }

    func key(_ name: String) -> Bytes {
        prefix + Bytes(name)
    }

    /// Does commands one after the other, each answered before the next.
    func run(_ requests: Request..., client: Int = 0) throws {
        try perform(requests.map { Step($0, client: client) })
    }

    func run(_ commands: Command..., client: Int = 0) throws {
        try perform(commands.map { Step(Request($0), client: client) })
    }

    /// Does commands all at once.
    func pipeline(_ requests: [Request], client: Int = 0, pieces: Int? = nil) throws {
        try perform(requests.map { Step($0, client: client, waits: false, pieces: pieces) })
    }

    /// Sends bytes; `K` in `text` becomes a key of this run, `L` one that is a byte too long.
    func raw(_ text: String, client: Int = 0, pieces: Int? = nil) throws {
        try perform([Step(.raw(MalformedLines.fill(text, key: key("k"))), client: client, pieces: pieces)])
    }

    func perform(_ steps: [Step]) throws {
        history.append(contentsOf: steps)
        try executor.run(steps)
    }

    /// The machine was too busy for what was done to mean anything.
    struct TooSlow: Error {}

    /// Does what only holds while little time goes by: less than ``life``.
    func promptly(_ body: () throws -> Void) throws {
        let began = steadySeconds()
        let result = Result(catching: body)
        // An expiry counts whole seconds of a clock that may be about to tick: the last is not certain.
        if steadySeconds() - began > Double(life) - 1.2 { throw TooSlow() }
        try result.get()
    }

    /// Waits until what has so many seconds to live is dead. Absolute times meet a server's clock, whose second and start are
    /// its own: up to two seconds late, and on a busy machine each tick comes when the server gets its turn.
    func outlive(_ life: Int32) {
        wait(milliseconds: Int(life) * 1000 + 6000)
    }

    /// Lets time go by, at the endpoint and, by at least as much, in the model.
    func wait(milliseconds: Int) {
        pause(milliseconds: milliseconds)
        executor.model.cache.clock += Int64((milliseconds + 999) / 1000)
    }

    func store(
        _ mode: StoreMode, _ name: String, _ value: Bytes, flags: UInt32 = 0, expiry: Int32 = 0, unique: UInt64 = 0
    ) -> Command {
        .store(Store(mode, key: key(name), value: value, flags: flags, expiry: expiry, unique: unique))
    }

    func store(_ mode: StoreMode, _ name: String, _ value: String, expiry: Int32 = 0, unique: UInt64 = 0) -> Command {
        store(mode, name, Bytes(value), expiry: expiry, unique: unique)
    }

    func get(_ names: String...) -> Command {
        .get(keys: names.map(key), unique: false)
    }

    func gets(_ names: String...) -> Command {
        .get(keys: names.map(key), unique: true)
    }

    func incr(_ name: String, _ delta: UInt64) -> Command {
        .arithmetic(Arithmetic(.incr, key: key(name), delta: delta))
    }

    func decr(_ name: String, _ delta: UInt64) -> Command {
        .arithmetic(Arithmetic(.decr, key: key(name), delta: delta))
    }
}

/// Bytes that differ from place to place, so that a piece in the wrong place shows.
func pattern(_ length: Int, seed: UInt64 = 1) -> Bytes {
    var random = RandomSource(seed: seed)
    var bytes: Bytes = []
    bytes.reserveCapacity(length + 8)
    while bytes.count < length { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
    return Bytes(bytes.prefix(length))
}
