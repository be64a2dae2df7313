// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel
import Testing

/// The comparison itself: a model that is wrong in one thing is found out, and the proof is short.
extension DifferentialTests {
    struct Planted: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// No more commands than this may be left; a `cas` needs as many before it as make its unique.
        let fewest: Int
        let wrong: @Sendable (Command, Reply) -> Reply
    }

    static let planted = [
        Planted(testDescription: "incr is one too high", fewest: 2) { command, reply in
            guard case .number(let number) = reply, command.name == "incr" else { return reply }
            return .number(number &+ 1)
        },
        Planted(testDescription: "a failed add is stored", fewest: 2) { command, reply in
            reply == .notStored && command.name == "add" ? .stored : reply
        },
        Planted(testDescription: "touch misses", fewest: 2) { _, reply in reply == .touched ? .notFound : reply },
        Planted(testDescription: "a value loses its last byte", fewest: 2) { _, reply in
            guard case .values(var values) = reply else { return reply }
            for index in values.indices where values[index].data.count > 30 { values[index].data.removeLast() }
            return .values(values)
        },
        Planted(testDescription: "cas always exists", fewest: 20) { command, reply in
            reply == .stored && command.name == "cas" ? .exists : reply
        },
    ]

    @Test(arguments: planted) func aWrongModelIsFoundOutInAFewSteps(_ planted: Planted) throws {
        let scenario = Scenario(testDescription: "planted", flow: .mixed, sequences: 1, mixes: false)
        var comparison = Comparison(scenario: scenario, seed: 7, tally: Tally(), planted: planted.wrong)
        // To its end, however busy the machine is: it takes a minute of one that is not.
        comparison.shrinking = .seconds(3000)
        let failure = try #require(try comparison.run().failure)
        // A storage command is two lines, and the first word of a connection may be needed to open it.
        let lines = failure.shortest.reduce(0) { $0 + $1.bytes.count { $0 == 0x0A } }
        #expect(lines <= 2 * planted.fewest + 1, "\(failure.report)")
        #expect(failure.report.contains("seed 7"))
        #expect(failure.report.contains("model:"))
        #expect(failure.shortest.allSatisfy { $0.turns == .unlimited && $0.longestRun == .max && !$0.upkeep })
    }

    @Test func aWrongCounterIsFoundOut() throws {
        let pair = try Pair(.init(), clock: Comparison.clock)
        _ = pair.model.connect().receive(Bytes("get a\r\n"))
        #expect(throws: Difference.self) { try pair.finish() }
    }
}
