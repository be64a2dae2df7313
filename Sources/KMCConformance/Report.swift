// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// How far a run is, for a progress line.
public struct ConformanceProgress: Sendable {
    /// The scenario, or `random` with the sequence's number.
    public let scenario: String
    /// Scenarios and sequences that are done, and all there are.
    public let done: Int
    public let total: Int
    /// Commands so far.
    public let commands: Int
    public let differences: Int
}

/// A place where the endpoint and the model part.
public struct ConformanceDifference: Sendable, CustomStringConvertible {
    public let scenario: String
    /// The seed of a random sequence: run it alone with `seed` and one sequence.
    public let seed: UInt64?
    public let command: String
    public let expected: String
    public let seen: String
    /// The fewest steps that were found to show it, in order, printable; those with a plus were sent together with the
    /// one before. Empty when one figure says it all.
    public let sequence: [String]

    public var description: String {
        var lines = ["\(scenario)\(seed.map { " (seed \($0))" } ?? ""): \(command)"]
        lines.append("  expected: \(expected)")
        lines.append("  seen:     \(seen)")
        if !sequence.isEmpty { lines.append("  with these \(sequence.count) steps:") }
        return (lines + sequence.map { "    \($0)" }).joined(separator: "\n")
    }
}

/// What a run found.
public struct ConformanceReport: Sendable {
    public let endpoint: Endpoint
    /// What the endpoint answered to `version`, and the dialect it was judged by.
    public let version: String
    public let dialect: String
    /// The seed of the first random sequence; the others follow it by one each.
    public let seed: UInt64
    public internal(set) var scenarios: [String] = []
    /// Scenarios that were left out, with the reason.
    public internal(set) var skipped: [(scenario: String, reason: String)] = []
    public internal(set) var sequences = 0
    /// All that was done, random or not.
    public internal(set) var tally = Tally()
    /// What the random sequences did.
    public internal(set) var random = Tally()
    /// How many items the endpoint has evicted during the random sequences: above zero, its memory was too small or others
    /// filled it, and a miss may be its right.
    public internal(set) var evicted = 0
    public internal(set) var differences: [ConformanceDifference] = []
    public internal(set) var seconds = 0.0

    /// Percentage of the keys read by random sequences that were there.
    public var hitPercent: Int { random.reads == 0 ? 0 : random.hits * 100 / random.reads }

    /// Whether something was done, nothing differed and enough reads hit to mean anything.
    public var passed: Bool { exitCode == 0 }

    /// For the process that ran it: 0 passed, 1 a difference, 2 nothing was shown.
    public var exitCode: Int32 {
        if !differences.isEmpty { return 1 }
        if tally.commands == 0 || random.reads > 0 && hitPercent < Conformance.leastHitPercent { return 2 }
        return 0
    }

    /// The whole report, line by line.
    public var lines: [String] {
        var lines = ["\(endpoint): version \(version), judged as \(dialect)"]
        lines += tally.lines.map { "  " + $0 }
        lines += skipped.map { "  left out: \($0.scenario): \($0.reason)" }
        lines.append(
            "\(scenarios.count) scenarios, \(sequences) random sequences from seed \(seed): \(tally.commands) commands, "
                + "\(random.reads) random reads of which \(hitPercent) % hit, \(Int(seconds)) s")
        if random.reads > 0, hitPercent < Conformance.leastHitPercent {
            lines.append("fewer than \(Conformance.leastHitPercent) % of the random reads hit: this run shows too little")
        }
        if evicted > 0 { lines.append("the endpoint evicted \(evicted) items meanwhile: give it more memory (-m)") }
        lines += differences.map(\.description)
        lines.append(differences.isEmpty ? "no difference" : "\(differences.count) differences")
        return lines
    }
}
