// SPDX-License-Identifier: GPL-2.0

import Foundation
import KMCProtocolModel
import Testing

private let isSanitized = ProcessInfo.processInfo.environment["KMC_SANITIZE"] == "undefined"

/// The core against the model: what the same bytes bring from both must be the same bytes.
///
/// Serialized, since the core's clock in user space belongs to the process; and only under the sanitizers.
@Suite(.serialized, .enabled(if: isSanitized, "run by Tests/Core/run-differential"))
struct DifferentialTests {
    /// `KMC_DIFFERENTIAL_SCALE` times as many sequences, from seed `KMC_DIFFERENTIAL_SEED` on.
    static let scale = number("KMC_DIFFERENTIAL_SCALE") ?? 1
    static let firstSeed = UInt64(number("KMC_DIFFERENTIAL_SEED") ?? 1)

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    @Test func atLeastAHundredThousandCommandsArePlanned() {
        #expect(Scenario.all.reduce(0) { $0 + $1.sequences * $1.commands } >= 100_000)
    }

    @Test(arguments: Scenario.all) func coreAnswersAsTheModel(_ scenario: Scenario) throws {
        let tally = Tally()
        var stops = CoreServer.Stops()
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(scenario.sequences * Self.scale) {
            let outcome = try Comparison(scenario: scenario, seed: seed, tally: tally).run()
            stops.add(outcome.stops)
            if let failure = outcome.failure {
                Issue.record("\(failure.report)")
                return
            }
        }
        print("\(scenario.testDescription): \(tally.summary)")
        #expect(tally.commands >= scenario.sequences * scenario.commands * Self.scale)
        #expect(tally.hitPercent >= 30)
        #expect(tally.missing(Tally.usualPairs, Tally.usualLines + scenario.shows).filter { !scenario.lacks.contains($0) } == [])
        #expect(stops.process > 0)
        #expect(stops.send > 0)
        #expect(stops.turn > 0 || ![.starved, .mixed].contains(scenario.flow))
    }

    @Test func shutdownEndsTheCacheOnlyWhereItIsAllowed() throws {
        let pair = try Pair(.init(allowsShutdown: true), clock: Comparison.clock)
        for line in ["shutdown x\r\n", "shutdown graceful now\r\n", "version\r\n", "shutdown graceful\r\n"] {
            #expect(!pair.core.isShutDown)
            try pair.perform(Step(connection: 0, opens: false, bytes: Bytes(line), clock: Comparison.clock))
        }
        #expect(pair.core.isShutDown)
    }
}

extension CoreServer.Stops {
    mutating func add(_ other: Self) {
        send += other.send
        turn += other.turn
        process += other.process
    }
}
