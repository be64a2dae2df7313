// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel
import Testing

/// A way in which random traffic meets the core.
struct Scenario: CustomTestStringConvertible {
    enum Flow: CaseIterable { case whole, starved, pieces, bytes, mixed }

    let testDescription: String
    var settings = CoreServer.Settings()
    var flow = Flow.whole
    /// Sequences, each with its own seed and an empty cache; and commands in each.
    var sequences: Int
    var commands = 3000
    var keys = 24
    var longestValue = 4096
    var connections = 4
    /// Whether all keys are stored before the traffic begins, and never flushed.
    var filled = false
    /// Whether meta commands and the binary protocol take part.
    var mixes = true
    /// What the sum of its sequences must have shown besides the usual.
    var shows: [String] = []
    /// What of the usual it does not show.
    var lacks: Set<String> = []

    static let all = [
        Scenario(testDescription: "as it comes", sequences: 10),
        Scenario(testDescription: "a little at a time", flow: .starved, sequences: 8),
        Scenario(testDescription: "in pieces", flow: .pieces, sequences: 6),
        Scenario(testDescription: "byte by byte", flow: .bytes, sequences: 4),
        Scenario(
            testDescription: "small chunks", settings: .init(itemSize: 16 << 10, chunkSize: 1 << 10), flow: .mixed,
            sequences: 6, longestValue: 20000, shows: [Failure.tooLarge.line]),
        Scenario(
            testDescription: "large values", settings: .init(memory: 48 << 20), flow: .mixed, sequences: 2, commands: 2000,
            keys: 12, longestValue: 1_100_000, shows: [Failure.tooLarge.line], lacks: ["RESET"]),
        Scenario(testDescription: "many connections", flow: .mixed, sequences: 3, connections: 100),
        Scenario(testDescription: "an index that grows", flow: .mixed, sequences: 2, commands: 4000, keys: 9000, filled: true,
            lacks: ["cas STORED"]),
        Scenario(
            testDescription: "no flush", settings: .init(allowsFlush: false), flow: .mixed, sequences: 4,
            shows: [Failure.flushNotAllowed.line]),
    ]

    /// The steps of a sequence, without end.
    func traffic(seed: UInt64) -> RandomTextTraffic {
        var options = RandomTextTraffic.Options()
        options.connections = connections
        options.requests.texts = keys
        options.requests.longestValue = longestValue
        options.furtherPercent = 8
        if !mixes {
            options.metaPercent = 0
            options.binaryPercent = 0
        }
        options.requests.flushes = !filled
        let further = Further(settings, flushes: !filled)
        options.further = { further.next(&$0, $1) }
        return RandomTextTraffic(
            seed: seed, serverOptions: Pair.modelOptions(settings, version: "any"), options: options)
    }

    /// How a step reaches the core, by the flow.
    func dress(_ step: inout Step, _ random: inout RandomSource) {
        let flow = flow == .mixed ? random.pick([Flow.whole, .starved, .pieces]) : flow
        step.upkeep = random.chance(2)
        switch flow {
        case .whole, .mixed: break
        case .starved:
            step.turns = .init(
                requests: UInt32(random.pick([1, 2, 20])), bytes: UInt32(random.pick([1, 3, 100, 4096])),
                send: UInt32(random.pick([1, 100, 2000, 6000])))
        case .pieces: step.longestRun = random.pick([1, 2, 3, 7, 61, 500, 2047, 2048])
        case .bytes: step.longestRun = 1
        }
        // A large value byte by byte takes long and shows nothing new.
        if step.bytes.count > 100_000 { step.longestRun = max(step.longestRun, 500) }
    }

    /// Sets for all text keys.
    func filling(clock: Int64) -> [Step] {
        guard filled else { return [] }
        let requests = RandomRequests(prefix: Bytes("r."))
        return (0..<keys).map { index in
            let line = Bytes("set ") + requests.textKey(index) + Bytes(" 0 0 1\r\nf\r\n")
            return Step(connection: -1, opens: false, bytes: line, clock: clock, upkeep: index % 512 == 511)
        }
    }
}
