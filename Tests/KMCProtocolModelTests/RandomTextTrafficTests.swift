// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

@Suite struct RandomTextTrafficTests {
    private func fingerprint(seed: UInt64) -> Bytes {
        var traffic = RandomTextTraffic(seed: seed)
        return (0..<500).flatMap { _ in
            let exchange = traffic.next()
            return [UInt8(exchange.connection)] + exchange.bytes + exchange.expected
        }
    }

    @Test func dependsOnTheSeedAlone() {
        #expect(fingerprint(seed: 1) == fingerprint(seed: 1))
        #expect(fingerprint(seed: 1) != fingerprint(seed: 2))
    }

    /// The traffic has to reach what it is for: hits, every storage result, refusals, pieces, closes and the clock.
    @Test func reachesEveryKindOfAnswer() {
        var traffic = RandomTextTraffic(seed: 3)
        let begin = traffic.server.cache.clock
        var expected: Bytes = []
        var pieces = 0
        var closes = 0
        for _ in 0..<20_000 {
            let exchange = traffic.next()
            expected.append(contentsOf: exchange.expected)
            if exchange.expected.isEmpty { pieces += 1 }
            if exchange.closes { closes += 1 }
        }
        let counters = traffic.server.cache.counters
        #expect(counters.getHits * 10 > counters.getCommands * 3, "\(counters)")
        for (name, path) in Counters.names {
            #expect(counters[keyPath: path] > (name == "store_too_large" ? 0 : 5), "\(name)")
        }
        #expect(pieces > 100)
        #expect(closes > 20)
        #expect(traffic.server.cache.clock > begin + 100)
        let text = String(decoding: expected, as: UTF8.self)
        for line in [
            "STORED\r\n", "NOT_STORED\r\n", "EXISTS\r\n", "CLIENT_ERROR bad data chunk", Failure.badFormat.line,
            Failure.badDelta.line, Failure.badExpiry.line, Failure.notNumeric.line, "TOUCHED",
        ] {
            #expect(text.contains(line), "\(line)")
        }
    }

    /// Feeding the same bytes to a second model in other splits gives the same answers.
    @Test func aSecondModelAgrees() {
        var traffic = RandomTextTraffic(seed: 4)
        let other = ServerModel(dialect: .kmemcache)
        var connections: [Int: ServerModel.Connection] = [:]
        for _ in 0..<5_000 {
            let exchange = traffic.next()
            other.cache.clock = exchange.clock
            if exchange.opens { connections[exchange.connection] = other.connect() }
            let answer = exchange.bytes.flatMap { connections[exchange.connection]!.receive([$0]) }
            #expect(answer == exchange.expected)
        }
    }
}
