// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Stage {
    /// What `stats` says, with or without a word after it.
    func statistics(_ word: String = "") throws -> [String: String] {
        let client = try Client(executor.target, executor.model)
        let bytes = TextCodec().encode(Request(.stats(word.isEmpty ? [] : [Bytes(word)])))
        guard case .stats(let lines) = try client.exchange([bytes], replies: 1).first else { return [:] }
        return Dictionary(lines.map { ($0.name, $0.value) }) { $1 }
    }

    /// Whether a malformed line leaves the connection where the model can go on judging.
    func isJudged(_ template: String) -> Bool {
        let scratch = ServerModel(dialect: executor.target.dialect).connect()
        scratch.receive(MalformedLines.fill(template, key: key("k")))
        return scratch.isIdle || scratch.isClosed
    }

    /// Counters in which a server must agree with the model about what a command was.
    private static let counted = Counters.names.filter { !["cmd_flush", "total_items", "store_too_large"].contains($0.name) }

    /// Does some of everything and compares by how much the counters have grown.
    func checkCounters() throws {
        let before = try statistics()
        let modelBefore = executor.model.cache.counters
        try run(store(.set, "a", "1"), store(.add, "a", "1"), store(.replace, "x", "1"), get("a", "x", "a"), gets("a"))
        try run(store(.cas, "a", "2", unique: Step.lastSeen), store(.cas, "a", "2", unique: Step.lastSeen), store(.cas, "x", "2", unique: 9))
        try run(incr("a", 1), incr("x", 1), decr("a", 1), decr("x", 1), store(.append, "a", "z"), incr("a", 1), decr("a", 1))
        try run(.touch(key: key("a"), expiry: 0), .touch(key: key("x"), expiry: 0), .delete(key: key("x")))
        try run(.getAndTouch(expiry: 0, keys: [key("a"), key("x"), key("a")], unique: false), .delete(key: key("a")))
        let after = try statistics()
        for (name, path) in Self.counted {
            let expected = executor.model.cache.counters[keyPath: path] - modelBefore[keyPath: path]
            guard let first = before[name].flatMap({ Int($0) }), let last = after[name].flatMap({ Int($0) }) else {
                throw Finding(expected: "a number for \(name) in stats", seen: after[name] ?? "none")
            }
            if last - first != expected { throw Finding(expected: "\(name) + \(expected)", seen: "\(name) + \(last - first)") }
        }
    }
}

// MARK: - Filling the memory

extension Stage {
    private static let valueLength = 10_000

    private func value(_ index: Int) -> Bytes {
        Bytes("\(index) ") + pattern(Self.valueLength, seed: UInt64(index))
    }

    private func memoryLimit() throws -> Int {
        guard let limit = try statistics()["limit_maxbytes"].flatMap({ Int($0) }), limit > 0 else {
            throw Finding(expected: "limit_maxbytes in stats", seen: "none")
        }
        return limit
    }

    /// Writes half as much again as fits, then reads it all: hits must be right, and there must be some of both.
    func overfill() throws {
        let count = try memoryLimit() * 3 / 2 / Self.valueLength
        let client = try Client(executor.target, executor.model)
        let codec = TextCodec(dialect: executor.target.dialect)
        for begin in stride(from: 0, to: count, by: 100) {
            let stores = (begin..<min(count, begin + 100)).flatMap { index in
                codec.encode(Request(store(.set, "e\(index)", value(index)), quiet: true))
            }
            _ = try client.exchange([stores + .line("version")], versions: 1)
        }
        var hits = 0
        for index in stride(from: 0, to: count, by: 1) {
            let reply = try client.exchange([codec.encode(Request(get("e\(index)")))], replies: 1).first
            guard case .values(let values) = reply else { throw Finding(expected: "VALUE or END", seen: "\(reply?.shown ?? "nothing")") }
            guard let found = values.first else { continue }
            guard found == Value(key: key("e\(index)"), flags: 0, data: value(index)) else {
                throw Finding(expected: "the value that was stored for e\(index)", seen: found.data.escaped(limit: 60))
            }
            hits += 1
        }
        guard hits > count / 10, hits < count else { throw Finding(expected: "hits and misses", seen: "\(hits) hits of \(count)") }
        _ = try client.exchange([codec.encode(Request(.flushAll(delay: 0)))], replies: 1)
    }

    /// Stores until the server refuses, and sees that it keeps what it took.
    func fillUp() throws {
        let most = try memoryLimit() * 2 / Self.valueLength
        let client = try Client(executor.target, executor.model)
        let codec = TextCodec(dialect: executor.target.dialect)
        var taken = 0
        while taken < most {
            let reply = try client.exchange([codec.encode(Request(store(.set, "f\(taken)", value(taken))))], replies: 1).first
            if reply == .failure(.outOfMemory) { break }
            guard reply == .stored else { throw Finding(expected: "STORED", seen: reply?.shown ?? "nothing") }
            taken += 1
        }
        guard taken > 0, taken < most else { throw Finding(expected: "\(Failure.outOfMemory.line) in the end", seen: "\(taken) stores") }
        for index in stride(from: 0, to: taken, by: 7) {
            let seen = try client.exchange([codec.encode(Request(get("f\(index)")))], replies: 1).first
            let wanted = Reply.values([Value(key: key("f\(index)"), flags: 0, data: value(index))])
            guard seen == wanted else { throw Finding(expected: wanted.shown, seen: seen?.shown ?? "nothing") }
        }
        _ = try client.exchange([codec.encode(Request(.flushAll(delay: 0)))], replies: 1)
    }
}

// MARK: - Binary

extension Stage {
    /// Whether a request is refused and ends the connection.
    func isRefused(_ bytes: Bytes) -> Bool {
        let scratch = ServerModel(dialect: executor.target.dialect).connect()
        scratch.receive(bytes)
        return scratch.isClosed && ![0x07, 0x17].contains(bytes[1])
    }

    /// Asks for figures in binary: rows with a name, then one without.
    func checkRows(_ group: String) throws {
        let client = try Client(executor.target, executor.model, isBinary: true)
        let request = BinaryFrame(0x10, key: Bytes(group), opaque: 77).encoded(BinaryFrame.requestMagic)
        let ends: ([Reply]) -> Bool = { replies in
            if case .binary(let row) = replies.last { return row.key.isEmpty }
            return false
        }
        let replies = try client.exchange([request], until: ends)
        for reply in replies {
            guard case .binary(let row) = reply, row.opcode == 0x10, row.status == 0, row.opaque == 77, row.extras.isEmpty, row.unique == 0 else {
                throw Finding(expected: "rows of stat \(group)", seen: reply.shown)
            }
        }
        guard replies.count > (group.isEmpty ? 10 : 0), replies.filter({ $0 == replies.last }).count == 1 else {
            throw Finding(expected: "rows, and an empty one at the end", seen: "\(replies.count) rows")
        }
    }
}
