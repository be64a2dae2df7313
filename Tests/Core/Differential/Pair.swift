// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// The core and the model side by side: what one is told, the other is told, and they must say the same.
final class Pair {
    private final class Client {
        let model: ServerModel.Connection
        let core: CoreServer.Connection
        var decoder = TextReplyDecoder()
        /// By its first byte; nil before that.
        var isBinary: Bool?

        init(_ model: ServerModel.Connection, _ core: CoreServer.Connection) {
            self.model = model
            self.core = core
        }
    }

    let core: CoreServer
    let model: ServerModel
    private let settings: CoreServer.Settings
    private let tally: Tally?
    private var clients: [Int: Client] = [:]

    /// - Parameters:
    ///   - watch: sees each command that the model's cache executes, with its answer, and may change it.
    ///   - tally: counts the answers.
    init(
        _ settings: CoreServer.Settings, clock: Int64, watch: (@Sendable (Command, Reply) -> Reply)? = nil,
        tally: Tally? = nil
    ) throws {
        self.settings = settings
        self.tally = tally
        core = try CoreServer(settings, clock: clock)
        let options = Self.modelOptions(settings, version: Self.version(of: core))
        model = ServerModel(dialect: .kmemcache, options: options, correction: watch)
        model.cache.clock = clock
        model.cache.began = clock
    }

    static func modelOptions(_ settings: CoreServer.Settings, version: String) -> ServerModel.Options {
        ServerModel.Options(
            version: version, allowsShutdown: settings.allowsShutdown, allowsFlush: settings.allowsFlush,
            limits: .init(itemSize: Int(settings.itemSize), chunkSize: Int(settings.chunkSize)))
    }

    private static func version(of core: CoreServer) -> String {
        let line = core.connect().exchange(Bytes("version\r\n"))
        return String(decoding: line.dropFirst("VERSION ".count).dropLast(2), as: UTF8.self)
    }

    func perform(_ step: Step) throws(Difference) {
        core.setClock(step.clock)
        model.cache.clock = max(model.cache.clock, step.clock)
        if step.opens || clients[step.connection]?.model.isClosed != false {
            clients[step.connection] = Client(model.connect(), core.connect(step.turns))
        }
        let client = clients[step.connection]!
        if client.isBinary == nil, let first = step.bytes.first { client.isBinary = first == BinaryFrame.requestMagic }
        let expected = client.model.receive(step.bytes)
        let answer = client.core.exchange(step.bytes, longest: step.longestRun)
        if answer != expected, client.isBinary == true || Mask.masked(answer) != Mask.masked(expected) {
            throw Difference(subject: "answer to \(step)", model: Self.show(expected), core: Self.show(answer))
        }
        if client.core.isClosed != client.model.isClosed {
            throw Difference(
                subject: "end of the connection after \(step)", model: client.model.isClosed ? "closed" : "open",
                core: client.core.isClosed ? "closed" : "open")
        }
        if let tally, client.isBinary != true { try count(answer, client, tally) }
        if step.upkeep { core.keepUp() }
    }

    private func count(_ answer: Bytes, _ client: Client, _ tally: Tally) throws(Difference) {
        client.decoder.append(answer)
        do throws(TextReplyDecoder.Malformed) {
            while let reply = try client.decoder.next() { tally.count(reply) }
        } catch {
            throw Difference(subject: "an answer that breaks the protocol", model: "the same", core: error.description)
        }
    }

    /// All that must hold when a sequence is over: the counters agree, and nothing is left of what was stored.
    func finish() throws(Difference) {
        clients.removeAll()
        try compareCounters()
        let evictions = core.statistics()["evictions"]
        if evictions != "0" { throw Difference(subject: "evictions", model: "0", core: evictions ?? "missing") }
        guard settings.allowsFlush else { return }
        _ = core.connect().exchange(Bytes("flush_all\r\n"))
        core.keepUp()
        let left = core.statistics()
        for gauge in ["curr_items", "bytes"] where left[gauge] != "0" {
            throw Difference(subject: "\(gauge) after flush_all and upkeep", model: "0", core: left[gauge] ?? "missing")
        }
    }

    func compareCounters() throws(Difference) {
        let shown = core.statistics()
        for counter in model.cache.counters.statistics where shown[counter.name] != counter.value {
            throw Difference(
                subject: "counter \(counter.name)", model: counter.value, core: shown[counter.name] ?? "missing")
        }
    }

    private static func show(_ bytes: Bytes) -> String {
        "\"\(bytes.escaped(limit: 2000))\""
    }
}
