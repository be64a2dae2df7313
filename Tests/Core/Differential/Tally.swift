// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel
import Synchronization

/// What was asked and answered, so that a comparison of nothing with nothing does not pass for success.
final class Tally: Sendable {
    private struct Counts {
        var pairs: [String: Int] = [:]
        var lines: [String: Int] = [:]
        var commands = 0, reads = 0, hits = 0
    }

    private let counts = Mutex(Counts())

    /// Commands that the cache has executed.
    var commands: Int { counts.withLock { $0.commands } }
    var hitPercent: Int { counts.withLock { $0.hits * 100 / max(1, $0.reads) } }

    /// Sees what the model's cache answers.
    var watch: @Sendable (Command, Reply) -> Reply {
        { command, reply in
            self.count(command, reply)
            return reply
        }
    }

    private func count(_ command: Command, _ reply: Reply) {
        counts.withLock { counts in
            counts.commands += 1
            counts.pairs["\(command.name) \(reply.name)", default: 0] += 1
            if case .values(let values) = reply {
                counts.reads += command.keys.count
                counts.hits += values.count
            }
        }
    }

    /// Counts an answer as a client sees it.
    func count(_ answer: Reply) {
        counts.withLock { $0.lines[answer.name, default: 0] += 1 }
    }

    /// Of what must be there, what was not seen.
    func missing(_ pairs: [String], _ lines: [String]) -> [String] {
        counts.withLock { counts in
            pairs.filter { counts.pairs[$0] == nil } + lines.filter { counts.lines[$0] == nil }
        }
    }

    var summary: String {
        counts.withLock { counts in
            let pairs = counts.pairs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let refusals = counts.lines.filter { $0.key.contains("ERROR") }.sorted { $0.key < $1.key }
            return "\(counts.commands) commands, \(counts.hits) of \(counts.reads) reads hit; "
                + (pairs + refusals.map { "\($0.key) \($0.value)" }).joined(separator: ", ")
        }
    }

    /// What any sequence of some length shows.
    static let usualPairs = [
        "get VALUE", "get END", "gets VALUE", "gets END", "gat VALUE", "gat END", "gats VALUE", "gats END",
        "set STORED", "add STORED", "add NOT_STORED", "replace STORED", "replace NOT_STORED", "append STORED",
        "append NOT_STORED", "prepend STORED", "prepend NOT_STORED", "cas STORED", "cas EXISTS", "cas NOT_FOUND",
        "delete DELETED", "delete NOT_FOUND", "incr number", "incr NOT_FOUND", "incr \(Failure.notNumeric.line)",
        "decr number", "decr NOT_FOUND", "touch TOUCHED", "touch NOT_FOUND",
    ]
    static let usualLines = [
        Failure.error, .badFormat, .badChunk, .badDelta, .badExpiry, .notNumeric, .shutdownNotEnabled,
    ].map(\.line) + ["RESET", "VERSION", "OK"]
}
