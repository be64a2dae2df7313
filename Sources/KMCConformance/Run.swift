// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// One run against one endpoint.
final class Run {
    private let target: Target
    private let options: Conformance.Options
    private let progress: (ConformanceProgress) -> Void
    private let chosen: [Scenario]
    private let began = steadySeconds()
    private var report: ConformanceReport
    private var done = 0
    private var commands = 0

    init(_ target: Target, _ options: Conformance.Options, _ progress: @escaping (ConformanceProgress) -> Void) {
        self.target = target
        self.options = options
        self.progress = progress
        // Of what a transport can't carry nothing is told, unless it was asked for.
        chosen = Scenario.all.filter { options.scenarios?.contains($0.name) ?? $0.fits(target.endpoint, target.login) }
        report = ConformanceReport(
            endpoint: target.endpoint, version: target.version, dialect: target.dialect.name,
            seed: options.seed ?? .random(in: 0..<1 << 32))
        for name in (options.scenarios ?? []).sorted() where !Scenario.all.contains(where: { $0.name == name }) {
            report.differences.append(
                ConformanceDifference(
                    scenario: name, seed: nil, command: "", expected: "the name of a scenario", seen: "none of that name", sequence: []))
        }
    }

    private var sequenceCount: Int {
        let length = max(1, options.sequenceLength)
        return (max(0, options.operations) + length - 1) / length
    }

    private var isOver: Bool { report.differences.count >= options.mostDifferences }

    func finish() -> ConformanceReport {
        report.seconds = steadySeconds() - began
        return report
    }

    private func tell(_ scenario: String) {
        progress(
            ConformanceProgress(
                scenario: scenario, done: done, total: chosen.count + sequenceCount, commands: commands,
                differences: report.differences.count))
    }

    private func differ(_ scenario: String, _ seed: UInt64?, _ mismatch: Executor.Mismatch, _ steps: [Step]) {
        let codec = TextCodec(dialect: target.dialect)
        report.differences.append(
            ConformanceDifference(
                scenario: scenario, seed: seed, command: mismatch.step.shown(codec), expected: mismatch.expected,
                seen: mismatch.seen, sequence: steps.indices.map { index in
                    let together = index > 0 && !steps[index - 1].waits && steps[index - 1].client == steps[index].client
                    return (together ? "+ " : "  ") + steps[index].shown(codec)
                }))
    }
}

// MARK: - Scenarios

extension Run {
    func scenarios() {
        for scenario in chosen where !isOver {
            if let reason = obstacle(to: scenario) {
                report.skipped.append((scenario.name, reason))
            } else {
                tell(scenario.name)
                perform(scenario, attempts: 6)
                report.scenarios.append(scenario.name)
            }
            done += 1
        }
    }

    /// Why the endpoint or the options don't allow a scenario.
    private func obstacle(to scenario: Scenario) -> String? {
        if !scenario.fits(target.endpoint, target.login) { return "needs another transport, protocol or login" }
        let missing = scenario.needs.subtracting(options.allowed)
        if !missing.isEmpty { return "not allowed: " + missing.map(\.rawValue).sorted().joined(separator: ", ") }
        guard !scenario.needs.isDisjoint(with: [.evicts, .fills]) else { return nil }
        guard let settings = try? Stage(target).statistics("settings"), let evictions = settings["evictions"],
            let limit = try? Stage(target).statistics()["limit_maxbytes"].flatMap({ Int($0) })
        else { return "stats doesn't tell the memory limit" }
        if limit > 128 << 20 { return "the memory limit is above 128 MiB" }
        return evictions == (scenario.needs.contains(.fills) ? "off" : "on") ? nil : "evictions are \(evictions)"
    }

    private func perform(_ scenario: Scenario, attempts: Int, life: Int32 = 2) {
        let stage = Stage(target, life: life)
        stage.executor.onProgress = { [weak self] count in self?.count(count, scenario.name) }
        defer { stage.executor.cleanUp() }
        do {
            try scenario.body(stage)
        } catch is Stage.TooSlow where attempts > 1 {
            return perform(scenario, attempts: attempts - 1, life: life * 2)
        } catch let mismatch as Executor.Mismatch {
            let relevant = Array(stage.history.suffix(40))
            differ(scenario.name, nil, mismatch, minimized(relevant, stage.prefix))
        } catch let finding as Stage.Finding {
            report.differences.append(
                ConformanceDifference(
                    scenario: scenario.name, seed: nil, command: scenario.purpose, expected: finding.expected, seen: finding.seen,
                    sequence: []))
        } catch {
            report.differences.append(
                ConformanceDifference(
                    scenario: scenario.name, seed: nil, command: scenario.purpose, expected: "an answer", seen: "\(error)", sequence: []))
        }
        report.tally.add(stage.executor.tally)
    }

    private func count(_ steps: Int, _ name: String) {
        commands += steps
        tell(name)
    }
}

// MARK: - Random sequences

extension Run {
    func sequences() {
        guard sequenceCount > 0 else { return }
        let limit = figure("limit_maxbytes") ?? 0
        // Two dozen texts, each in a slab class of its own if it comes to the worst, stay far below the limit; over UDP a
        // retrieval of them all below what an answer may have.
        let largest = target.endpoint.isDatagram ? 2_000 : min(900_000, max(4096, limit / 512))
        let evictions = figure("evictions")
        defer {
            if let before = evictions, let after = figure("evictions") { report.evicted = after - before }
        }
        var left = options.operations
        for index in 0..<sequenceCount where !isOver {
            let seed = report.seed &+ UInt64(index)
            let length = min(left, max(1, options.sequenceLength))
            left -= length
            perform(seed: seed, length: length, largest: largest)
            report.sequences += 1
            done += 1
        }
    }

    private func figure(_ name: String) -> Int? {
        target.isBinary ? nil : try? Stage(target).statistics()[name].flatMap { Int($0) }
    }

    private func perform(seed: UInt64, length: Int, largest: Int) {
        let sequence = RandomSequence(
            seed: seed, length: length, clients: options.clients, dialect: target.dialect, largestValue: largest,
            isDatagram: target.endpoint.isDatagram, binaryPercent: target.login == nil ? 25 : target.isBinary ? 100 : 0)
        let prefix = RandomSequence.freshPrefix()
        let steps = RandomSequence.rekeyed(sequence.steps, from: sequence.prefix, to: prefix)
        let executor = Executor(target)
        executor.onProgress = { [weak self] count in self?.count(count, "random \(seed)") }
        do {
            try executor.run(steps)
        } catch let mismatch as Executor.Mismatch {
            executor.cleanUp()
            let failing = Array(steps.prefix(through: min(mismatch.index, steps.count - 1)))
            differ("random", seed, mismatch, minimized(failing, prefix))
        } catch {
            let gone = Executor.Mismatch(step: steps[0], index: 0, expected: "an answer", seen: "\(error)")
            differ("random", seed, gone, [])
        }
        executor.cleanUp()
        report.tally.add(executor.tally)
        report.random.add(executor.tally)
    }

    /// A short part of the steps that still differs, each attempt under keys of its own; all of them if none does again.
    ///
    /// What was sent in two batches stays in two, since a batch that is answered has also been let go of.
    private func minimized(_ steps: [Step], _ prefix: Bytes) -> [Step] {
        var batch = 0
        let numbered = steps.map { step in
            defer { if step.waits { batch += 1 } }
            return (batch: batch, step: step)
        }
        func rejoined(_ part: [(batch: Int, step: Step)]) -> [Step] {
            part.indices.map { index in
                var step = part[index].step
                step.waits = index + 1 == part.count || part[index + 1].batch != part[index].batch
                return step
            }
        }
        return rejoined(Minimizer.minimize(numbered, seconds: options.minimizing) { part in
            let executor = Executor(target)
            defer { executor.cleanUp() }
            do {
                try executor.run(RandomSequence.rekeyed(rejoined(part), from: prefix, to: RandomSequence.freshPrefix()))
                return false
            } catch {
                return error is Executor.Mismatch
            }
        })
    }
}

extension Step {
    /// The step as a line for a person.
    func shown(_ codec: TextCodec) -> String {
        let who = "client \(client)\(pieces.map { " in pieces of \($0)" } ?? ""): "
        switch action {
        case .raw(let bytes): return who + "\"\(bytes.escaped())\""
        case .leave(let bytes): return who + "\"\(bytes.escaped())\" and leaves"
        case .frame(let frame): return who + "\"\(frame.encoded(BinaryFrame.requestMagic).escaped())\""
        case .request(let request):
            let text = codec.encode(request).escaped()
            guard case .store(let store) = request.command, store.mode == .cas, store.unique == Step.lastSeen else {
                return who + "\"\(text)\""
            }
            return who + "\"\(text)\" with the unique last seen in the place of \(Step.lastSeen)"
        }
    }
}
