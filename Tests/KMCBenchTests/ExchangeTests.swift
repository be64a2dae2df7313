// SPDX-License-Identifier: MIT

import Testing

@testable import KMCBench

/// An exchange in a test: feeds it bytes as a socket would, and frees it.
final class Talk {
    let plan: Plan
    var exchange: Exchange

    init(_ workload: Workload, framed: Bool = false) {
        plan = Plan(workload, order: .sequential, framed: framed)
        exchange = Exchange(plan)
    }

    deinit { exchange.deallocate() }

    /// The next batch, as text.
    func ask(limit: Int = .max) -> [UInt8] {
        _ = exchange.prepare(limit: limit)
        return Array(UnsafeRawBufferPointer(start: exchange.request, count: exchange.requestLength))
    }

    /// Feeds `bytes` in pieces of at most `piece`; returns the replies completed, or less than 0.
    func hear(_ bytes: [UInt8], piece: Int = .max) -> Int {
        var replies = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            var part = Array(rest.prefix(piece))
            rest = rest.dropFirst(part.count)
            let more = part.withUnsafeMutableBytes { exchange.received($0.baseAddress!, $0.count) }
            if more < 0 { return more }
            replies += more
        }
        return replies
    }

    /// Gives it one datagram.
    func hear(datagram: [UInt8]) -> Int {
        var bytes = datagram
        return bytes.withUnsafeMutableBytes { exchange.receivedDatagram($0.baseAddress!, $0.count) }
    }

    /// The right value of the key with this number.
    func value(_ number: UInt32) -> [UInt8] {
        var sheet = Sheet()
        defer { sheet.deallocate() }
        plan.script.pointee.encoder.corpus.appendValue(number, to: &sheet)
        return Array(UnsafeRawBufferPointer(start: sheet.bytes, count: sheet.count))
    }

    private var keySize: Int { plan.workload.keySize.longestKey }

    func item(_ number: UInt32, value: [UInt8]? = nil) -> [UInt8] {
        let value = value ?? self.value(number)
        return Array("VALUE \(name(number, keySize)) 0 \(value.count)\r\n".utf8) + value + lineEnd
    }

    func metaItem(_ number: UInt32) -> [UInt8] {
        Array("VA \(plan.workload.valueSize.longestValue)\r\n".utf8) + value(number) + lineEnd
    }
}

private let lineEnd = Array("\r\n".utf8)
private let end = Array("END\r\n".utf8)

/// The key that a plan of this key size gives this number.
func name(_ number: UInt32, _ keySize: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "k", count: keySize - 8) + String(repeating: "0", count: 8 - digits.count) + digits
}

struct RequestTests {
    @Test func getsNameTheKeysInOrder() {
        let talk = Talk(Workload(mix: .get, keys: 300, keySize: 10, depth: 2))
        #expect(talk.ask() == Array("get kk00000000\r\nget kk00000001\r\n".utf8))
        _ = talk.hear(end + end)
        #expect(talk.ask() == Array("get kk00000002\r\nget kk00000003\r\n".utf8))
        _ = talk.hear(end + end)
        #expect(talk.ask(limit: 1) == Array("get kk00000004\r\n".utf8))
    }

    @Test func aMultigetNamesAllItsKeys() {
        let talk = Talk(Workload(mix: .mget, keys: 300, keySize: 8, keysPerGet: 3))
        #expect(talk.ask() == Array("get 00000000 00000001 00000002\r\n".utf8))
        _ = talk.hear(end)
        #expect(talk.ask() == Array("get 00000003 00000004 00000005\r\n".utf8))
    }

    @Test func aSetCarriesTheValueOfItsKey() {
        let talk = Talk(Workload(mix: .set, keys: 300, keySize: 9, valueSize: 20, depth: 2))
        for first: UInt32 in [0, 2] {
            var expected: [UInt8] = []
            for number in first...first + 1 {
                expected += Array("set \(name(number, 9)) 0 0 20\r\n".utf8) + talk.value(number) + lineEnd
            }
            #expect(talk.ask() == expected)
            _ = talk.hear(Array("STORED\r\nSTORED\r\n".utf8))
        }
    }

    @Test func aMixSetsOnceInEachRound() {
        let talk = Talk(Workload(mix: .mixed(gets: 2), keys: 300, keySize: 8, valueSize: 8, depth: 6))
        let commands = String(decoding: talk.ask(), as: UTF8.self).split(separator: "\r\n").filter { $0.contains(" ") }
        #expect(commands.map { String($0.prefix(3)) } == ["set", "get", "get", "set", "get", "get"])
    }

    @Test(arguments: [0, 1, 9, 10, 0xABCD, 0x1234_5678, 0xFFFF_FFFF] as [UInt32])
    func aKeyIsItsNumberInHexadecimal(number: UInt32) {
        let digits = withUnsafeBytes(of: KeyName(number).digits) { String(decoding: $0, as: UTF8.self) }
        #expect(digits == name(number, 8))
    }

    @Test(arguments: [0, 1, 7, 8, 9, 32, 5000])
    func valuesOfDifferentKeysDiffer(size: Int) {
        let talk = Talk(Workload(mix: .set, keys: 300, valueSize: .fixed(size)))
        #expect(talk.value(1).count == size)
        #expect(size == 0 || talk.value(1) != talk.value(2))
    }
}

struct ReplyTests {
    /// A workload with the replies to its first batch, and what they amount to.
    struct Case: Sendable, CustomTestStringConvertible {
        let workload: Workload
        let replies: @Sendable (Talk) -> [UInt8]
        let tally: Tally
        var testDescription: String { "\(workload.mix) of \(workload.valueSize) bytes" }
    }

    static let cases = [
        Case(
            workload: Workload(mix: .get, keys: 9, valueSize: 32, depth: 3),
            replies: { $0.item(0) + end + end + $0.item(2) + end },
            tally: Tally(requests: 3, keys: 3, hits: 2, misses: 1)),
        Case(
            workload: Workload(mix: .get, keys: 9, valueSize: 0, depth: 1),
            replies: { $0.item(0) + end }, tally: Tally(requests: 1, keys: 1, hits: 1)),
        Case(
            workload: Workload(mix: .mget, keys: 9, valueSize: 5, keysPerGet: 4, depth: 2),
            replies: { $0.item(1) + $0.item(3) + end + $0.item(4) + $0.item(5) + end },
            tally: Tally(requests: 2, keys: 8, hits: 4, misses: 4)),
        Case(
            workload: Workload(mix: .mg, keys: 9, valueSize: 40, depth: 3),
            replies: { $0.metaItem(0) + Array("EN\r\n".utf8) + $0.metaItem(2) },
            tally: Tally(requests: 3, keys: 3, hits: 2, misses: 1)),
        Case(
            workload: Workload(mix: .set, keys: 9, depth: 3),
            replies: { _ in Array("STORED\r\nSERVER_ERROR out of memory storing object\r\nNOT_STORED\r\n".utf8) },
            tally: Tally(requests: 3, keys: 3, errors: 2)),
        Case(
            workload: Workload(mix: .mixed(gets: 1), keys: 9, valueSize: 12, depth: 4),
            replies: { Array("STORED\r\n".utf8) + $0.item(1) + end + Array("STORED\r\n".utf8) + end },
            tally: Tally(requests: 4, keys: 4, hits: 1, misses: 1)),
        // Wrong in each way: another key's value, another size, a key that was not asked for, another order.
        Case(
            workload: Workload(mix: .mget, keys: 9, valueSize: 32, keysPerGet: 4, depth: 1),
            replies: {
                let ofOthers = $0.item(0, value: $0.value(1)) + $0.item(1, value: [1, 2, 3])
                return ofOthers + $0.item(7) + $0.item(3) + $0.item(2) + end
            },
            tally: Tally(requests: 1, keys: 4, hits: 1, misses: 1, wrong: 4)),
        Case(
            workload: Workload(mix: .mg, keys: 9, valueSize: 32, depth: 2),
            replies: { $0.metaItem(1) + Array("VA 2\r\nab\r\n".utf8) },
            tally: Tally(requests: 2, keys: 2, wrong: 2)),
    ]

    @Test(arguments: cases) func repliesAddUpInAnyPieces(one: Case) {
        for piece in [1, 2, 3, 7, 31, 64, .max] {
            let talk = Talk(one.workload)
            _ = talk.ask()
            #expect(talk.hear(one.replies(talk), piece: piece) == one.workload.depth)
            #expect(talk.exchange.tally == one.tally, "in pieces of \(piece)")
            #expect(talk.exchange.waiting == 0)
        }
    }

    @Test(arguments: cases) func aSplitAtAnyByteChangesNothing(one: Case) {
        let length = { let talk = Talk(one.workload); return one.replies(talk).count }()
        for split in 1..<length {
            let talk = Talk(one.workload)
            _ = talk.ask()
            let replies = one.replies(talk)
            let first = talk.hear(Array(replies[..<split]))
            #expect(first >= 0 && first + talk.hear(Array(replies[split...])) == one.workload.depth)
            #expect(talk.exchange.tally == one.tally, "split at \(split)")
        }
    }

    @Test(arguments: [
        "VALUE\r\n", "VALUE kkkkkkkk00000000 0 x\r\n", "VALUE kkkkkkkk00000000 0 99999999999\r\n", "STORED\r\n", "\r\n",
        "VALUE kkkkkkkk00000000 0 2\r\nabc\r\n", "VALUE kkkkkkkk00000000 0 2147483647\r\n", "END\r\nEND\r\n",
    ])
    func whatIsNoReplyEndsTheConnection(text: String) {
        let talk = Talk(Workload(mix: .get, keys: 9))
        _ = talk.ask()
        #expect(talk.hear(Array(text.utf8)) < 0)
    }

    @Test func aLineWithoutEndEndsTheConnection() {
        let talk = Talk(Workload(mix: .get, keys: 9))
        _ = talk.ask()
        #expect(talk.hear([UInt8](repeating: 0x41, count: 5000)) < 0)
    }

    @Test func valuesLargerThanABufferPassThroughIt() {
        // Nine keys hold one batch of five; then the first ones come again.
        let talk = Talk(Workload(mix: .get, keys: 9, valueSize: 300_000, depth: 5))
        for _ in 0..<3 {
            _ = talk.ask()
            let replies = (0..<5).flatMap { talk.item(UInt32($0)) + end }
            #expect(talk.hear(replies, piece: 70_001) == 5)
        }
        #expect(talk.exchange.tally == Tally(requests: 15, keys: 15, hits: 15))
    }

    @Test func withoutVerificationOnlyFramesCount() {
        let talk = Talk(Workload(mix: .get, keys: 9, verify: false))
        _ = talk.ask()
        #expect(talk.hear(talk.item(0, value: talk.value(1)) + end) == 1)
        #expect(talk.exchange.tally == Tally(requests: 1, keys: 1, hits: 1))
    }
}
