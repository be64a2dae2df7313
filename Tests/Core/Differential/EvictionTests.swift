// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel
import Testing

/// A cache that is too small for what is stored: a get may miss, but what it shows is never wrong.
extension DifferentialTests {
    @Test func aFullCacheMayForgetButNeverLies() throws {
        let settings = CoreServer.Settings(memory: 4 << 20, itemSize: 64 << 10, chunkSize: 16 << 10)
        let judge = try fill(settings, seeds: 3 * Self.scale)
        print("eviction: \(judge.summary)")
        #expect(judge.evictions > 1000)
        #expect(judge.forgotten > 100)
        #expect(judge.hits * 10 > judge.reads * 3)
    }

    @Test func aFullCacheThatMustNotForgetRefuses() throws {
        let settings = CoreServer.Settings(memory: 4 << 20, itemSize: 64 << 10, chunkSize: 16 << 10, evicts: false)
        let judge = try fill(settings, seeds: Self.scale)
        print("without eviction: \(judge.summary)")
        #expect(judge.evictions == 0)
        #expect(judge.refusals > 100)
        #expect(judge.hits * 10 > judge.reads * 3)
    }

    private func fill(_ settings: CoreServer.Settings, seeds: Int) throws -> EvictionJudge.Sums {
        var sums = EvictionJudge.Sums()
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(seeds) {
            var judge = try EvictionJudge(settings)
            var options = RandomRequests.Options()
            options.texts = 1500
            options.longestValue = 60000
            options.shortExpiries = true
            let requests = RandomRequests(prefix: Bytes("e."), options: options)
            var random = RandomSource(seed: seed)
            var uniques: [Bytes: UInt64] = [:]
            for step in 0..<12_000 {
                var request = step < options.texts
                    ? Request(.store(Store(.set, key: requests.textKey(step), value: Bytes(repeating: 0x66, count: 3500))))
                    : requests.next(&random) { uniques[$0] }
                request.quiet = false
                if random.chance(2) { judge.tick() }
                do throws(Difference) {
                    uniques.merge(try judge.perform(request)) { $1 }
                } catch {
                    Issue.record("seed \(seed), step \(step): \(error)")
                    return sums
                }
            }
            sums.add(judge.finish())
        }
        return sums
    }
}

/// Lets the model forget what the core has forgotten, and nothing else.
struct EvictionJudge {
    struct Sums {
        var reads = 0, hits = 0, forgotten = 0, refusals = 0, evictions = 0

        var summary: String {
            "\(hits) of \(reads) reads hit, \(evictions) evictions, \(forgotten) noticed, \(refusals) refusals"
        }

        mutating func add(_ other: Self) {
            reads += other.reads
            hits += other.hits
            forgotten += other.forgotten
            refusals += other.refusals
            evictions += other.evictions
        }
    }

    private let core: CoreServer
    private let connection: CoreServer.Connection
    private var model: ReferenceCache
    private var sums = Sums()

    init(_ settings: CoreServer.Settings) throws {
        core = try CoreServer(settings, clock: Comparison.clock)
        connection = core.connect()
        model = ReferenceCache(
            limits: .init(itemSize: Int(settings.itemSize), chunkSize: Int(settings.chunkSize)), dialect: .kmemcache)
        model.clock = Comparison.clock
    }

    mutating func tick() {
        model.clock += 1
        core.setClock(model.clock)
        core.keepUp()
    }

    /// - Returns: the uniques that were seen.
    mutating func perform(_ request: Request) throws(Difference) -> [Bytes: UInt64] {
        let command = request.command
        let bytes = connection.exchange(TextCodec(dialect: .kmemcache).encode(request))
        var decoder = TextReplyDecoder()
        decoder.append(bytes)
        guard let answer = try? decoder.next(), decoder.isIdle else {
            throw Difference(subject: "answer to \(command)", model: "one reply", core: bytes.escaped(limit: 1000))
        }
        guard let expected = execute(command, answer) else { return [:] }
        guard answer == expected else {
            throw Difference(subject: "answer to \(command)", model: "\(expected)", core: "\(answer)")
        }
        guard case .values(let values) = answer else { return [:] }
        sums.reads += command.keys.count
        sums.hits += values.count
        return Dictionary(values.compactMap { value in value.unique.map { (value.key, $0) } }, uniquingKeysWith: { $1 })
    }

    /// What the model says, after it has forgotten what the answer shows to be gone; nil where the cache isn't asked.
    private mutating func execute(_ command: Command, _ answer: Reply) -> Reply? {
        let before = model
        guard let straight = model.execute(command) else { return nil }
        if straight == answer { return straight }
        model = before
        if isRefused(command, answer) {
            sums.refusals += 1
            if case .store(let store) = command, store.mode == .set { model.evict(store.key) }
            return answer
        }
        var shown: Set<Bytes> = []
        if case .values(let values) = answer { shown = Set(values.map(\.key)) }
        for key in command.keys where !shown.contains(key) { model.evict(key) }
        sums.forgotten += 1
        return model.execute(command)
    }

    /// Out of memory, for which `append` and `prepend` have no other words than NOT_STORED.
    private func isRefused(_ command: Command, _ answer: Reply) -> Bool {
        if answer == .failure(.outOfMemory) { return true }
        if case .arithmetic = command { return answer == .failure(Failure("SERVER_ERROR out of memory")) }
        if case .store(let store) = command, [.append, .prepend].contains(store.mode), answer == .notStored {
            var probe = model
            return probe.execute(.get(keys: [store.key], unique: false)) != .values([]) && core.refusesToForget
        }
        return false
    }

    mutating func finish() -> Sums {
        sums.evictions = Int(core.statistics()["evictions"] ?? "") ?? 0
        return sums
    }
}
