// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// A sequence of steps that a seed decides: several clients, commands whole and in drops, alone and in bundles,
/// and lines that are nearly commands.
struct RandomSequence {
    let prefix: Bytes
    let steps: [Step]

    /// - Parameter isDatagram: each command has to fit into a datagram: no drops, no refused lines, nobody who leaves.
    init(seed: UInt64, length: Int, clients: Int, dialect: Dialect, largestValue: Int, isDatagram: Bool = false, binaryPercent: Int = 25) {
        var generator = Generator(
            seed: seed, clients: clients, dialect: dialect, largestValue: largestValue, isDatagram: isDatagram,
            binaryPercent: binaryPercent)
        prefix = generator.requests.prefix
        steps = generator.steps(length)
    }

    /// The same sequence under another prefix.
    static func rekeyed(_ steps: [Step], from prefix: Bytes, to other: Bytes) -> [Step] {
        steps.map { $0.replacing(prefix, by: other) }
    }

    /// Keys of one run: no two runs at an endpoint meet.
    static func freshPrefix() -> Bytes {
        var system = SystemRandomNumberGenerator()
        let digits = String(system.next() & 0xFFFF_FFFF, radix: 36)
        return Bytes("kmc~" + String(repeating: "0", count: max(0, 7 - digits.count)) + digits + ".")
    }
}

private struct Generator {
    let requests: RandomRequests
    private let meta: RandomMeta
    private let binary: RandomBinary
    private let clients: Int
    private let dialect: Dialect
    private let isDatagram: Bool
    private let binaryPercent: Int
    private var random: RandomSource
    private var result: [Step] = []

    init(seed: UInt64, clients: Int, dialect: Dialect, largestValue: Int, isDatagram: Bool, binaryPercent: Int) {
        var options = RandomRequests.Options()
        self.clients = max(1, clients)
        options.unknownUnique = Step.unknownUnique
        // The endpoint's clock goes on, the model's stands still: hours away from what R asks for, and from each other.
        options.farExpiries = (10_000, 30_000)
        random = RandomSource(seed: seed)
        // Most sequences are of small values and quick; some have one that is chunked.
        options.longestValue = random.chance(15) ? largestValue : min(8192, largestValue)
        options.hugeNumbers = dialect.readsHugeNumbers
        requests = RandomRequests(prefix: Bytes("kmc~0000000."), options: options)
        meta = RandomMeta(requests, dialect: dialect)
        binary = RandomBinary(requests)
        self.dialect = dialect
        self.isDatagram = isDatagram
        self.binaryPercent = binaryPercent
    }

    mutating func steps(_ length: Int) -> [Step] {
        while result.count < length {
            let client = random.below(clients)
            if random.chance(binaryPercent) {
                frames(Step.firstBinaryClient + client)
                continue
            }
            switch isDatagram ? 99 : random.below(100) {
            case 0..<8: malformed(client)
            case 8: leave(client)
            default: bundle(client)
            }
        }
        return result
    }

    /// Commands that are sent together and answered together.
    private mutating func bundle(_ client: Int) {
        let count = random.pick(weighted: [(60, 1), (30, 2 + random.below(6)), (10, 10 + random.below(40))])
        let drip = drip()
        for _ in 0..<count {
            let request = next()
            let large = request.command.length > 2000
            result.append(Step(request, client: client, waits: false, pieces: large ? drip.map { $0 + 1000 } : drip))
        }
        endBatch()
    }

    /// Into pieces of which length bytes are cut.
    private mutating func drip() -> Int? {
        isDatagram ? nil : random.pick(weighted: [(80, nil), (15, 1 + random.below(200)), (5, 1)])
    }

    /// Binary requests together, or one that is wrong and alone.
    private mutating func frames(_ client: Int) {
        let drip = drip()
        if !isDatagram, random.chance(4) {
            endBatch()
            // Where memcached and kmemcache take different bytes for the next request, the connection ends.
            result.append(Step(.raw(binary.wrong(&random)), client: client, waits: true, pieces: drip))
            return
        }
        for _ in 0..<random.pick(weighted: [(60, 1), (30, 2 + random.below(6)), (10, 10 + random.below(40))]) {
            result.append(Step(.frame(binary.next(&random) { _ in Step.lastSeen }), client: client, waits: false, pieces: drip))
        }
        endBatch()
    }

    private mutating func next() -> Request {
        if random.chance(30) { return Request(.meta(meta.next(&random) { _ in Step.lastSeen })) }
        return requests.next(&random) { _ in Step.lastSeen }
    }

    /// Alone in its batch: where memcached refuses a key of `get` it throws away the replies that wait before it.
    private mutating func malformed(_ client: Int) {
        let key = requests.textKey(random.below(requests.options.texts))
        let line = MalformedLines.next(&random, key: key)
        let scratch = ServerModel(dialect: dialect).connect()
        scratch.receive(line)
        guard scratch.isIdle || scratch.isClosed, !line.reachesFar else { return }
        endBatch()
        let pieces = random.chance(20) ? 1 + random.below(20) : nil
        result.append(Step(.raw(line), client: client, waits: true, pieces: pieces))
    }

    /// Part of a storage command or of a line, and the client is gone.
    private mutating func leave(_ client: Int) {
        let request = next()
        let whole = TextCodec(dialect: dialect).encode(Request(request.command.withoutSymbol, quiet: false))
        let cut = min(2000, whole.count) - 1
        endBatch()
        let line = whole.firstIndex(of: 0x0A) ?? 0
        let isStore = request.command.length > 0
        let length = isStore ? 1 + random.below(cut) : 1 + random.below(max(1, min(cut, line)))
        result.append(Step(.leave(Bytes(whole.prefix(length))), client: client))
    }

    private mutating func endBatch() {
        if !result.isEmpty { result[result.count - 1].waits = true }
    }
}

extension Command {
    /// The bytes of the value that the command carries.
    fileprivate var length: Int {
        switch self {
        case .store(let store): store.value.count
        case .meta(let request): request.value.count
        default: 0
        }
    }

    /// The command with a unique that means nothing.
    fileprivate var withoutSymbol: Command {
        guard case .store(var store) = self else { return self }
        store.unique = 0
        return .store(store)
    }
}

extension Array where Element == UInt8 {
    /// Whether a line names a command that others at the endpoint would feel.
    fileprivate var reachesFar: Bool {
        let text = String(decoding: self, as: UTF8.self)
        return ["flush_all", "shutdown", "reset"].contains { text.contains($0) } && !text.hasPrefix("shutdown x")
            && !text.hasPrefix("flush_all x") && !text.hasPrefix("flush_all noreply 1")
    }
}
