// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Does steps at an endpoint and in the model, and compares the replies.
///
/// Each batch of steps of one client ends with `version`, whose answer shows that all before it has been answered, so
/// that a reply too many is seen as well as one too few.
final class Executor {
    /// Where the endpoint and the model part.
    struct Mismatch: Error {
        let step: Step
        let index: Int
        let expected: String
        let seen: String
    }

    let target: Target
    let model: ServerModel
    private(set) var tally = Tally()
    private var ledger = UniqueLedger()
    private let began = steadySeconds()
    private var clients: [Int: Client] = [:]
    /// Keys that may be left at the endpoint.
    private var written: Set<Bytes> = []
    var onProgress: (Int) -> Void = { _ in }

    init(_ target: Target) {
        self.target = target
        model = target.makeModel()
    }

    /// Does all steps; throws a ``Mismatch`` at the first difference.
    func run(_ steps: [Step]) throws {
        var begin = 0
        while begin < steps.count {
            var end = begin + 1
            while end < steps.count, !steps[end - 1].waits, steps[end].client == steps[begin].client,
                !steps[end - 1].isLeave, !steps[end].isLeave
            { end += 1 }
            try runBatch(Array(steps[begin..<end]), from: begin)
            onProgress(end - begin)
            begin = end
        }
    }

    /// Ends all connections and removes what was stored.
    func cleanUp() {
        clients.removeAll()
        guard !written.isEmpty, let client = try? Client(target, model, isBinary: target.isBinary) else { return }
        defer { written.removeAll() }
        if target.isBinary {
            let deletes = written.flatMap { BinaryFrame(0x14, key: $0).encoded(BinaryFrame.requestMagic) }
            _ = try? client.exchange([deletes + client.marker(version: "").sent], versions: 1)
            return
        }
        let codec = TextCodec(dialect: target.dialect)
        let deletes = written.flatMap { codec.encode(Request(.delete(key: $0), quiet: true)) }
        _ = try? client.exchange([deletes + .line("version")], versions: 1)
    }

    /// Drops a client's connection, so that its next step opens another.
    func disconnect(_ client: Int) {
        clients[client] = nil
    }

    private func client(_ number: Int, isBinary: Bool) throws -> Client {
        if let client = clients[number] { return client }
        let client = try Client(target, model, isBinary: isBinary)
        clients[number] = client
        return client
    }

    private func runBatch(_ steps: [Step], from begin: Int) throws {
        let client = try client(steps[0].client, isBinary: steps[0].isBinary)
        var pieces: [Bytes] = []
        var expected: [[Reply]] = []
        for step in steps {
            let (toServer, toModel) = bytes(of: step)
            pieces.append(contentsOf: step.pieces.map { toServer.cut($0) } ?? [toServer])
            let replies = try client.ask(toModel)
            expected.append(keepsBack(step, client) ? [] : replies)
        }
        let ends: Ending = steps[0].isLeave ? .leaves : client.modelCloses ? .closed : .version
        guard ends != .version || client.modelIsIdle else { throw Misuse.unfinished(steps.map(\.name)) }
        if ends == .version {
            let marker = client.marker(version: model.options.version)
            pieces.append(marker.sent)
            expected.append([marker.answer])
        }
        let isWhole = steps.allSatisfy { $0.pieces == nil }
        if isWhole, client.datagrams == nil { pieces = [pieces.flatMap { $0 }] }
        guard isWhole || client.datagrams == nil else { throw Misuse.needsStream(steps.map(\.name)) }

        let flat = expected.flatMap { $0 }
        let answer = try judged(flat, steps, begin) {
            guard let datagrams = client.datagrams else { return try receive(client, pieces, flat, ends) }
            return try client.converse(datagrams, zip(pieces, expected).map { ($0, $1.count) })
        }
        try compare(steps, expected, answer, begin, ends)
        if ends != .version { disconnect(steps[0].client) }
    }

    private enum Ending { case version, closed, leaves }

    /// A step that the executor can't judge is a mistake of ours, not of the server.
    enum Misuse: Error { case unfinished([String]), needsStream([String]) }

    /// Whether the answer to a client that leaves waits for data that never comes; see ``Dialect/refusesAtOnce``.
    private func keepsBack(_ step: Step, _ client: Client) -> Bool {
        step.isLeave && !client.modelIsIdle && !target.dialect.refusesAtOnce
    }

    private func receive(_ client: Client, _ pieces: [Bytes], _ expected: [Reply], _ ending: Ending) throws -> [Reply] {
        switch ending {
        case .version: return try client.exchange(pieces, versions: expected.filter(\.isVersion).count)
        case .closed: return try client.exchangeUntilClosed(pieces)
        case .leaves: return try client.exchange(pieces, replies: expected.count)
        }
    }

    private func judged(_ expected: [Reply], _ steps: [Step], _ begin: Int, _ body: () throws -> [Reply]) throws -> [Reply] {
        do {
            return try body()
        } catch let broken as Client.Broken {
            let compared = broken.replies.count
            let index = min(compared, steps.count - 1)
            let seen = (broken.replies.map(\.name) + [broken.reason]).joined(separator: ", ")
            throw Mismatch(
                step: steps[index], index: begin + index,
                expected: expected.map { $0.shown }.joined(separator: ", ").shortened,
                seen: seen.shortened)
        }
    }

    /// What the client sends for a step, once with the server's uniques and once with the model's.
    private func bytes(of step: Step) -> (server: Bytes, model: Bytes) {
        switch step.action {
        case .raw(let bytes), .leave(let bytes): return (bytes, bytes)
        case .frame(let frame): return bytes(of: frame)
        case .request(let request):
            let codec = TextCodec(dialect: target.dialect)
            if case .meta(let meta) = request.command { return bytes(of: meta, codec) }
            guard case .store(let store) = request.command else {
                if case .arithmetic(let arithmetic) = request.command { written.insert(arithmetic.key) }
                let bytes = codec.encode(request)
                return (bytes, bytes)
            }
            written.insert(store.key)
            let uniques = ledger.resolve(store.unique, for: store.key)
            func encoded(_ unique: UInt64) -> Bytes {
                var changed = store
                changed.unique = unique
                return codec.encode(Request(.store(changed), quiet: request.quiet))
            }
            return store.mode == .cas ? (encoded(uniques.server), encoded(uniques.model)) : (encoded(0), encoded(0))
        }
    }

    private func bytes(of frame: BinaryFrame) -> (server: Bytes, model: Bytes) {
        if !frame.key.isEmpty { written.insert(frame.key) }
        let uniques = ledger.resolve(frame.unique, for: frame.key)
        func encoded(_ unique: UInt64) -> Bytes {
            var changed = frame
            changed.unique = unique
            return changed.encoded(BinaryFrame.requestMagic)
        }
        return (encoded(uniques.server), encoded(uniques.model))
    }

    private func bytes(of meta: MetaRequest, _ codec: TextCodec) -> (server: Bytes, model: Bytes) {
        let key = meta.plainKey ?? meta.key
        if meta.verb != .noOperation { written.insert(key) }
        let uniques = ledger.resolve(Step.lastSeen, for: key)
        func encoded(_ unique: UInt64) -> Bytes {
            codec.encode(Request(.meta(meta.replacingUnique(Step.lastSeen, by: unique))))
        }
        return (encoded(uniques.server), encoded(uniques.model))
    }

    private func compare(_ steps: [Step], _ expected: [[Reply]], _ seen: [Reply], _ begin: Int, _ ending: Ending) throws {
        var rest = seen[...]
        for (index, wanted) in expected.enumerated() {
            let got = Array(rest.prefix(wanted.count))
            rest = rest.dropFirst(wanted.count)
            let step = steps[min(index, steps.count - 1)]
            // A reset connection may take replies with it that had not been read.
            let cut = ending == .closed && got.count < wanted.count
            let same = (cut || got.count == wanted.count) && zip(wanted, got).allSatisfy { matches($0, $1, step) }
            guard same else {
                throw Mismatch(step: step, index: begin + min(index, steps.count - 1), expected: wanted.shown, seen: got.shown)
            }
            if index < steps.count { tally.count(step, got) }
        }
        if let extra = rest.first {
            throw Mismatch(
                step: steps[steps.count - 1], index: begin + steps.count - 1, expected: "nothing more", seen: extra.shown)
        }
    }

    private func matches(_ wanted: Reply, _ got: Reply, _ step: Step) -> Bool {
        switch (wanted, got) {
        case (.meta(let wanted), .meta(let got)):
            let key = step.metaKey
            let isPadded = target.dialect.mayTrimNumbers && model.cache.padded.contains(key)
            // Both clocks tick in their own time, and the model's stands still meanwhile.
            let tolerance = 3 + Int64(steadySeconds() - began)
            return MetaMatch(tolerance: tolerance, mayBeTrimmed: isPadded) { self.ledger.enter(server: $0, model: $1, for: key) }.matches(wanted, got)
        case (.values(let wanted), .values(let got)), (.interrupted(let wanted), .interrupted(let got)):
            return wanted.count == got.count && zip(wanted, got).allSatisfy { matches($0, $1) }
        case (.stats, .stats), (.values([]), .stats): return true
        case (.binary(let wanted), .binary(let got)): return matches(wanted, got, step)
        default: return wanted == got
        }
    }

    private func matches(_ wanted: BinaryFrame, _ got: BinaryFrame, _ step: Step) -> Bool {
        guard case .frame(let request) = step.action else { return wanted == got }
        var same = got
        same.unique = wanted.unique
        if isTrimmed(got.value, from: Value(key: request.key, flags: 0, data: wanted.value)) { same.value = wanted.value }
        guard same == wanted, (wanted.unique == 0) == (got.unique == 0) else { return false }
        return wanted.unique == 0 || ledger.enter(server: got.unique, model: wanted.unique, for: request.key)
    }

    /// Whether some of the trailing spaces that a number was given are missing, and that is right, too.
    private func isTrimmed(_ data: Bytes, from value: Value) -> Bool {
        guard target.dialect.mayTrimNumbers, model.cache.padded.contains(value.key) else { return false }
        let digits = value.data.count { $0 != 0x20 }
        return data.count >= digits && value.data.starts(with: data) && value.data.dropFirst(digits).allSatisfy { $0 == 0x20 }
    }

    private func matches(_ wanted: Value, _ got: Value) -> Bool {
        guard wanted.key == got.key, wanted.flags == got.flags else { return false }
        guard wanted.data == got.data || isTrimmed(got.data, from: wanted) else { return false }
        switch (wanted.unique, got.unique) {
        case (nil, nil): return true
        case (let model?, let server?): return ledger.enter(server: server, model: model, for: wanted.key)
        default: return false
        }
    }
}

extension Step {
    /// Whether its client speaks the binary protocol: by the numbers, which no other client has.
    var isBinary: Bool { client >= Step.firstBinaryClient }
    static let firstBinaryClient = 1000

    var isLeave: Bool {
        if case .leave = action { return true }
        return false
    }
}

extension Step {
    /// The key of a meta command; empty for anything else.
    fileprivate var metaKey: Bytes {
        guard case .request(let request) = action, case .meta(let meta) = request.command else { return [] }
        return meta.plainKey ?? meta.key
    }
}

extension Reply {
    /// Whether it may be the answer to the marker behind a batch.
    var isVersion: Bool {
        switch self {
        case .version: true
        case .binary(let frame): frame.opcode == BinaryFrame.noOperation && frame.opaque == BinaryFrame.markerOpaque
        default: false
        }
    }

    /// The reply with enough of its data to see what is wrong.
    var shown: String {
        switch self {
        case .values(let values) where !values.isEmpty, .interrupted(let values):
            values.map { value in
                let unique = value.unique.map { " unique \($0)" } ?? ""
                return "VALUE \(value.key.escaped(limit: 40)) \(value.flags)\(unique) \"\(value.data.escaped(limit: 60))\""
            }.joined(separator: " ")
        case .number(let number): "\(number)"
        case .binary(let frame): frame.encoded(BinaryFrame.replyMagic).escaped(limit: 200)
        case .meta(let reply): TextCodec().encode(.meta(reply)).escaped(limit: 200)
        case .version(let version): "VERSION \(version)"
        default: name
        }
    }
}

extension BinaryFrame {
    static let noOperation: UInt8 = 0x0A
    /// No random request has it.
    static let markerOpaque: UInt32 = 0x4B4D_4353
}

extension [Reply] {
    var shown: String {
        isEmpty ? "(silence)" : map(\.shown).joined(separator: ", ").shortened
    }
}

extension String {
    var shortened: String { count > 600 ? prefix(300) + " … " + suffix(300) : self }
}

extension Array where Element == UInt8 {
    func cut(_ length: Int) -> [Bytes] {
        stride(from: 0, to: count, by: Swift.max(1, length)).map { Bytes(self[$0..<Swift.min(count, $0 + Swift.max(1, length))]) }
    }
}
