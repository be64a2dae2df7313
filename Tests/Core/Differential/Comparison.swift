// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// A sequence that is run until the two sides differ, or enough commands were executed.
struct Comparison {
    let scenario: Scenario
    let seed: UInt64
    let tally: Tally
    /// A wrong model, to see that it is found out.
    var planted: (@Sendable (Command, Reply) -> Reply)?

    /// How long to look for a shorter sequence that differs.
    var shrinking = Duration.seconds(300)

    static let clock: Int64 = 1_700_000_000

    struct Outcome {
        var stops = CoreServer.Stops()
        var failure: Failed?
    }

    struct Failed {
        let difference: Difference
        let seed: UInt64
        let scenario: String
        /// The shortest sequence found, and what differs in it.
        let shortest: [Step]
        let shortestDifference: Difference

        var report: String {
            """
            scenario "\(scenario)", seed \(seed): \("\(difference)".prefix(400))…
            shortest sequence that differs, \(shortest.count) steps:
            \(shortest.map { "    \($0)" }.joined(separator: "\n"))
              \(shortestDifference)
            """
        }
    }

    func run() throws -> Outcome {
        let pair = try Pair(scenario.settings, clock: Self.clock, watch: watch(counting: true), tally: tally)
        var traffic = scenario.traffic(seed: seed)
        var random = RandomSource(seed: seed ^ 0xD1CE)
        var steps = scenario.filling(clock: Self.clock)
        do throws(Difference) {
            for step in steps { try pair.perform(step) }
            let enough = tally.commands + scenario.commands
            while tally.commands < enough {
                let exchange = traffic.next()
                var step = Step(
                    connection: exchange.connection, opens: exchange.opens, bytes: exchange.bytes, clock: exchange.clock)
                scenario.dress(&step, &random)
                steps.append(step)
                try pair.perform(step)
            }
            try pair.finish()
        } catch {
            return Outcome(stops: pair.core.stops, failure: shrink(steps, error))
        }
        return Outcome(stops: pair.core.stops)
    }

    private func watch(counting: Bool) -> (@Sendable (Command, Reply) -> Reply)? {
        guard counting else { return planted }
        let count = tally.watch
        guard let planted else { return count }
        return { command, reply in planted(command, count(command, reply)) }
    }

    /// The difference that a sequence shows from the beginning, if it does.
    private func difference(_ steps: [Step]) -> Difference? {
        guard let pair = try? Pair(scenario.settings, clock: Self.clock, watch: watch(counting: false)) else { return nil }
        do throws(Difference) {
            for step in steps { try pair.perform(step) }
            try pair.finish()
            return nil
        } catch {
            return error
        }
    }

    private func shrink(_ steps: [Step], _ found: Difference) -> Failed {
        let shortest = Shrinker(within: shrinking) { difference($0) != nil }.shrink(steps)
        return Failed(
            difference: found, seed: seed, scenario: scenario.testDescription, shortest: shortest,
            shortestDifference: difference(shortest) ?? found)
    }
}
