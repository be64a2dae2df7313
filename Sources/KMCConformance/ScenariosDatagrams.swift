// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Stage {
    private func datagrams(first: UInt16 = 0) throws -> Datagrams {
        try Datagrams(executor.target, first: first)
    }

    /// The version, as the answer to a request.
    private var version: Bytes { .line("VERSION \(executor.target.version)") }

    private func expect(_ seen: Bytes, _ wanted: Bytes) throws {
        if seen != wanted { throw Finding(expected: wanted.escaped(limit: 200), seen: seen.escaped(limit: 200)) }
    }

    /// The answer bears the number of its request, whatever that is.
    fileprivate func checkNumbers() throws {
        for number: UInt16 in [0, 1, 0xFF, 0x100, 0x1234, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF] {
            try expect(try datagrams(first: number &- 1).ask(.line("version")), version)
        }
    }

    /// Answers of one datagram, of exactly one, and of many, each to a value of that length.
    fileprivate func checkLengths() throws {
        let name = key("long")
        let datagrams = try datagrams()
        for length in [0, 1, 1300, 1330, 1340, 1350, 1360, 1370, 1380, 1390, 1392, 1400, 2760, 2784, 4000, 30_000, 50_000] {
            let value = pattern(length, seed: UInt64(length))
            try expect(try datagrams.ask(TextCodec().encode(Request(.store(Store(.set, key: name, value: value))))), .line("STORED"))
            let wanted = TextCodec().encode(.values([Value(key: name, flags: 0, data: value)]))
            try expect(try datagrams.ask(TextCodec().encode(Request(.get(keys: [name], unique: false)))), wanted)
        }
        try expect(try datagrams.ask(TextCodec().encode(Request(.delete(key: name)))), .line("DELETED"))
    }

    /// What is no request in one datagram is dropped, and what comes after it is answered.
    fileprivate func checkDropped() throws {
        let version = Bytes.line("version")
        let forged = [
            UDPFrame(request: 7, sequence: 0, total: 2), UDPFrame(request: 7, sequence: 1, total: 2), UDPFrame(request: 7, total: 0),
            UDPFrame(request: 7, total: 0xFFFF), UDPFrame(request: 7, total: 0x100),
        ].map { $0.datagram(version) }
        let short = (0...8).map { Bytes(repeating: 1, count: $0) }
        for datagram in forged + short {
            let datagrams = try datagrams(first: 1000)
            try datagrams.send(datagram)
            try expect(try datagrams.ask(version), self.version)
        }
    }

    /// The sequence and the reserved field of a request are nobody's business, or a forgery's.
    fileprivate func checkForged() throws {
        for frame in [UDPFrame(request: 9, sequence: 5), UDPFrame(request: 9, reserved: 0xFFFF), UDPFrame(request: 9, sequence: 0xFFFF, reserved: 1)] {
            let datagrams = try datagrams()
            try datagrams.send(frame.datagram(.line("version")))
            let isDropped = executor.target.dialect.dropsForgedFrames
            try expect(isDropped ? try datagrams.ask(.line("version")) : try datagrams.answer(to: 9), version)
        }
    }

    /// Two clients at once: each gets its own answers.
    fileprivate func checkClients() throws {
        let clients = try (0..<8).map { try datagrams(first: UInt16($0) * 3) }
        for round in 0..<10 {
            for (index, client) in clients.enumerated() {
                let name = key("c\(index)")
                try expect(try client.ask(TextCodec().encode(Request(.store(Store(.set, key: name, value: Bytes("\(round)")))))), .line("STORED"))
            }
            for (index, client) in clients.enumerated() {
                let wanted = Value(key: key("c\(index)"), flags: 0, data: Bytes("\(round)"))
                try expect(try client.ask(TextCodec().encode(Request(.get(keys: [wanted.key], unique: false)))), TextCodec().encode(.values([wanted])))
            }
        }
        for (index, client) in clients.enumerated() { _ = try client.ask(TextCodec().encode(Request(.delete(key: key("c\(index)"))))) }
    }
}

extension Scenario {
    static let datagrams: [Scenario] = [
        Scenario("udp-numbers", "an answer bears the number of its request", needs: [.datagrams]) { try $0.checkNumbers() },
        Scenario("udp-lengths", "a long answer comes in datagrams of 1,400 bytes at most, numbered from 0, each saying how many", needs: [.datagrams]) {
            try $0.checkLengths()
        },
        Scenario("udp-dropped", "parts of longer requests, and datagrams without a request, are dropped", needs: [.datagrams]) { try $0.checkDropped() },
        Scenario("udp-forged", "a request with a sequence or something in the reserved field is answered, or dropped here", needs: [.datagrams]) {
            try $0.checkForged()
        },
        Scenario("udp-clients", "several clients get their own answers", needs: [.datagrams]) { try $0.checkClients() },
    ]
}
