// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// How often each command got each reply.
public struct Tally: Sendable {
    public private(set) var counts: [String: [String: Int]] = [:]
    /// Commands in all.
    public private(set) var commands = 0
    /// Keys that were asked for, and those that were there.
    public private(set) var reads = 0
    public private(set) var hits = 0

    mutating func count(_ step: Step, _ replies: [Reply]) {
        commands += 1
        let answers = replies.isEmpty ? ["(silence)"] : replies.map(\.name)
        for answer in answers { counts[step.name, default: [:]][answer, default: 0] += 1 }
        if case .request(let request) = step.action, case .meta(let meta) = request.command, meta.verb == .get, !meta.has("q") {
            reads += 1
            if case .meta(let reply) = replies.first, reply.code != .miss { hits += 1 }
        }
        if case .frame(let frame) = step.action, [0x00, 0x0C, 0x1D, 0x23].contains(frame.opcode), case .binary(let reply) = replies.first {
            reads += 1
            if reply.status == 0 { hits += 1 }
        }
        guard case .request(let request) = step.action, case .values(let values) = replies.first else { return }
        if case .stats = request.command { return }
        reads += request.command.keys.count
        hits += values.count
    }

    mutating func add(_ other: Tally) {
        commands += other.commands
        reads += other.reads
        hits += other.hits
        for (command, answers) in other.counts {
            counts[command, default: [:]].merge(answers, uniquingKeysWith: +)
        }
    }

    /// One line per command and reply, in alphabetical order.
    public var lines: [String] {
        counts.sorted { $0.key < $1.key }.flatMap { command, answers in
            answers.sorted { $0.key < $1.key }.map { answer, count in
                "\(command.padded(to: 18)) \(String(count).padded(to: 9)) \(answer)"
            }
        }
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
