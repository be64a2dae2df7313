// SPDX-License-Identifier: MIT

import KMCConformance
import KMCProtocolModel
import Synchronization
import Testing

/// The judge itself: it must find what is wrong, and nothing where all is right.
@Suite struct JudgeTests {
    private var quick: Conformance.Options {
        var options = Conformance.Options()
        options.seed = 11
        options.operations = 4000
        options.scenarios = []
        options.mostDifferences = 1
        // The fewest steps are asked for, however long it takes.
        options.minimizing = 600
        return options
    }

    @Test func findsNothingInTheModelItself() throws {
        let server = try ModelServer()
        defer { server.stop() }
        var options = quick
        // The model knows figures, but no settings, items and slabs.
        options.scenarios = Set(Scenario.all.map(\.name)).subtracting(["stats-kinds"])
        options.allowed.remove(.waits)
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        let passed = report.passed
        #expect(passed, "\(report.lines.joined(separator: "\n"))")
        #expect(report.dialect == "1.6.45-kmemcache")
    }

    /// A model that is wrong in one thing.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// As many steps as it takes to see it.
        let fewest: Int
        let correction: @Sendable (Command, Reply) -> Reply
    }

    static let wrongs = [
        Wrong(testDescription: "incr is one too high", fewest: 2) { command, reply in
            guard case .arithmetic(let arithmetic) = command, arithmetic.direction == .incr, case .number(let number) = reply else { return reply }
            return .number(number &+ 1)
        },
        Wrong(testDescription: "incr saturates", fewest: 2) { command, reply in
            guard case .arithmetic(let arithmetic) = command, arithmetic.direction == .incr, case .number(let number) = reply else { return reply }
            return .number(number < arithmetic.delta ? .max : number)
        },
        Wrong(testDescription: "touch misses", fewest: 2) { $1 == .touched ? .notFound : $1 },
        Wrong(testDescription: "a failed add is stored", fewest: 2) { $1 == .notStored ? .stored : $1 },
        Wrong(testDescription: "cas always exists", fewest: 3) { command, reply in
            guard case .store(let store) = command, store.mode == .cas, reply == .stored else { return reply }
            return .exists
        },
        Wrong(testDescription: "flags are lost", fewest: 2) { _, reply in
            guard case .values(var values) = reply else { return reply }
            for index in values.indices { values[index].flags = 0 }
            return .values(values)
        },
    ]

    @Test(arguments: wrongs)
    func seesThatTheModelIsWrong(_ wrong: Wrong) throws {
        let server = try Memcached(.unix)
        // A number that wraps is rare enough, and 1.6.18 not sure of: the model serves instead.
        let own = try ModelServer()
        defer { own.stop() }
        let endpoint = wrong.testDescription == "incr saturates" ? own.endpoint : server.endpoint
        let report = try Conformance.run(endpoint: endpoint, options: quick, correction: wrong.correction)
        let difference = try #require(report.differences.first, "not seen")
        #expect(report.exitCode == 1)
        #expect(difference.sequence.count <= wrong.fewest + 1, "\(difference)")
        #expect(difference.expected != difference.seen)

        // The seed that was printed shows it again, alone.
        var again = quick
        again.seed = difference.seed
        again.operations = again.sequenceLength
        let second = try Conformance.run(endpoint: endpoint, options: again, correction: wrong.correction)
        #expect(second.differences.first?.seed == difference.seed)
    }

    /// What a server may do wrong to the stream itself.
    static let spoilt: [(String, @Sendable (Bytes, Bytes) -> Bytes?)] = [
        ("answers noreply", { String(decoding: $0, as: UTF8.self).contains("noreply") ? Bytes("STORED\r\n") + $1 : $1 }),
        ("swallows a reply", { $1.starts(with: Bytes("DELETED")) ? Bytes($1.dropFirst(9)) : $1 }),
        ("closes", { $0.starts(with: Bytes("touch")) ? nil : $1 }),
        ("says nothing", { $0.starts(with: Bytes("decr")) ? [] : $1 }),
        ("breaks a line", { $1.starts(with: Bytes("STORED\r\n")) ? Bytes("STORED\n") + $1.dropFirst(8) : $1 }),
        ("shortens a value", { $1.starts(with: Bytes("VALUE")) ? Bytes($1.dropLast(30)) + Bytes("END\r\n") : $1 }),
    ]

    @Test(arguments: spoilt.indices)
    func seesThatTheServerIsWrong(_ index: Int) throws {
        let server = try ModelServer(spoil: Self.spoilt[index].1)
        defer { server.stop() }
        // Silence has to be waited for, each time that the sequence is tried.
        var options = quick
        options.timeout = 2
        options.minimizing = 20
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        #expect(report.exitCode == 1, "\(Self.spoilt[index].0): \(report.lines.joined(separator: "\n"))")
    }

    @Test func seesThatAUniqueComesTwice() throws {
        let server = try ModelServer { _, sent in
            // Every unique ends in the same digit: sooner or later two are equal.
            let text = String(decoding: sent, as: UTF8.self)
            guard text.hasPrefix("VALUE "), let end = text.firstIndex(of: "\r\n") else { return sent }
            var words = text[..<end].split(separator: " ")
            guard words.count == 5 else { return sent }
            words[4] = "7"
            return Bytes(words.joined(separator: " ")) + Bytes(String(text[end...]))
        }
        defer { server.stop() }
        var options = quick
        options.operations = 0
        options.scenarios = ["cas-changes"]
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        #expect(report.exitCode == 1)
    }

    @Test func aScenarioThatFailsIsMinimized() throws {
        let server = try ModelServer { $1.starts(with: Bytes("TOUCHED")) ? Bytes("NOT_FOUND\r\n") + $1.dropFirst(9) : $1 }
        defer { server.stop() }
        var options = quick
        options.operations = 0
        options.scenarios = ["touch", "no such scenario"]
        options.mostDifferences = 5
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        #expect(report.differences.map(\.scenario) == ["no such scenario", "touch"])
        #expect(report.differences.last?.sequence.count == 2)
    }

    @Test func progressAndReport() throws {
        let server = try ModelServer()
        defer { server.stop() }
        var options = quick
        options.scenarios = ["set", "noreply"]
        options.operations = 1000
        var seen: [ConformanceProgress] = []
        let report = try Conformance.run(endpoint: server.endpoint, options: options) { seen.append($0) }
        #expect(seen.first?.scenario == "set" && seen.first?.total == 4)
        #expect(seen.last?.commands ?? 0 >= 1000 && seen.last?.done == 3)
        let lines = report.lines
        #expect(lines.contains { $0.contains("set noreply") && $0.contains("(silence)") })
        #expect(lines.contains { $0.contains("from seed 11") })
        #expect(lines.last == "no difference" && report.exitCode == 0)
    }

    @Test func nothingDoneIsNoPass() throws {
        let server = try ModelServer()
        defer { server.stop() }
        var options = quick
        options.operations = 0
        let report = try Conformance.run(endpoint: server.endpoint, options: options)
        #expect(report.exitCode == 2)
    }
}
