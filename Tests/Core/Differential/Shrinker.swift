// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// Makes a failing sequence small (delta debugging, Zeller and Hildebrandt 2002): fewer steps, fewer bytes, plainer ways.
struct Shrinker {
    /// Whether a sequence fails.
    let fails: ([Step]) -> Bool
    private let clock = ContinuousClock()
    private let deadline: ContinuousClock.Instant

    init(within limit: Duration, fails: @escaping ([Step]) -> Bool) {
        self.fails = fails
        deadline = clock.now + limit
    }

    func shrink(_ failing: [Step]) -> [Step] {
        var steps = dropParts(failing, fails)
        for cut in [Self.byCommand, { $0.flatMap(Self.byLine) }] {
            let parts = cut(steps)
            guard fails(parts) else { continue }
            steps = parts
            break
        }
        steps = dropParts(steps, fails)
        for index in steps.indices { steps[index] = shrink(index, of: steps) }
        return dropParts(steps, fails)
    }

    /// Fewer bytes, and the step without its peculiarities.
    private func shrink(_ index: Int, of steps: [Step]) -> Step {
        var tried = steps
        var best = steps[index]
        func attempt(_ change: (inout Step) -> Void) {
            guard clock.now < deadline else { return }
            tried[index] = best
            change(&tried[index])
            if fails(tried) { best = tried[index] }
        }
        attempt { $0.turns = .unlimited }
        attempt { $0.longestRun = .max }
        attempt { $0.upkeep = false }
        attempt { $0.clock = steps[0].clock }
        for length in [0, 1, 2, 40] { if let bytes = Self.withValue(of: length, best.bytes) { attempt { $0.bytes = bytes } } }
        let whole = best
        let bytes = dropParts(whole.bytes) { fewer in
            tried[index] = whole
            tried[index].bytes = fewer
            return fails(tried)
        }
        best.bytes = bytes
        return best
    }

    /// A command counts when its last byte has come, so that it may as well come whole then.
    private static func byCommand(_ steps: [Step]) -> [Step] {
        let server = ServerModel(dialect: .kmemcache)
        var parts: [Step] = []
        var clients: [Int: (connection: ServerModel.Connection, begun: Step)] = [:]
        for step in steps {
            if step.opens, let (_, begun) = clients.removeValue(forKey: step.connection), !begun.bytes.isEmpty { parts.append(begun) }
            var (connection, begun) = clients[step.connection] ?? (server.connect(), step)
            if clients[step.connection] == nil { begun.bytes = [] }
            for byte in step.bytes {
                begun.bytes.append(byte)
                connection.receive([byte])
                guard connection.isIdle else { continue }
                begun.clock = step.clock
                parts.append(begun)
                begun = step
                begun.opens = false
                begun.bytes = []
            }
            clients[step.connection] = connection.isClosed ? nil : (connection, begun)
            if connection.isClosed, !begun.bytes.isEmpty { parts.append(begun) }
        }
        return parts + clients.sorted { $0.key < $1.key }.map(\.value.begun).filter { !$0.bytes.isEmpty }
    }

    /// A storage command with less of its value; nil for any other.
    private static func withValue(of length: Int, _ bytes: Bytes) -> Bytes? {
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        var words = bytes[..<end].split(separator: 0x20).map(Array.init)
        guard words.count > 4, let announced = Int(String(decoding: words[4], as: UTF8.self).filter(\.isNumber)),
            length < announced, bytes.count == end + 1 + announced + 2
        else { return nil }
        words[4] = Bytes("\(length)")
        return Bytes(words.joined(separator: [0x20])) + Bytes("\r\n") + bytes[(end + 1)...].prefix(length) + Bytes("\r\n")
    }

    /// A stream means the same however it is cut, so that a bundle can lose some of its commands.
    private static func byLine(_ step: Step) -> [Step] {
        var parts: [Step] = []
        var rest = step.bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
            var part = step
            part.bytes = Array(rest[..<end])
            part.opens = step.opens && parts.isEmpty
            part.upkeep = step.upkeep && end == step.bytes.endIndex
            parts.append(part)
            rest = rest[end...]
        }
        return parts
    }

    private func dropParts<Element>(_ failing: [Element], _ fails: ([Element]) -> Bool) -> [Element] {
        var best = failing
        var length = (best.count + 1) / 2
        while length > 0, clock.now < deadline {
            let before = best.count
            var begin = 0
            while begin < best.count, clock.now < deadline {
                let candidate = Array(best[..<begin] + best[min(best.count, begin + length)...])
                if !candidate.isEmpty, fails(candidate) { best = candidate } else { begin += length }
            }
            if length == 1, best.count == before { break }
            length = max(1, length / 2)
        }
        return best
    }
}
