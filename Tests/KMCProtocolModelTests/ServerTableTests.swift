// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

/// What memcached itself answered to these bytes: 1.6.18 as Debian ships it, and 1.6.45.
struct Case: Sendable, CustomTestStringConvertible {
    let sent: String
    let before: String
    let after: String
    let closes: Bool

    init(_ sent: String, _ answer: String, closes: Bool = false) {
        self.init(sent, before: answer, after: answer, closes: closes)
    }

    init(_ sent: String, before: String, after: String, closes: Bool = false) {
        self.sent = sent
        self.before = before
        self.after = after
        self.closes = closes
    }

    var testDescription: String { Bytes(sent).escaped(limit: 60) }
}

private let badFormat = "CLIENT_ERROR bad command line format\r\n"
private let error = "ERROR\r\n"
private let stored = "STORED\r\n"
private let long = String(repeating: "k", count: 251)
private let notNumeric = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
private let badDelta = "CLIENT_ERROR invalid numeric delta argument\r\n"
private let badExpiry = "CLIENT_ERROR invalid exptime argument\r\n"
private let tooLarge = "SERVER_ERROR object too large for cache\r\n"

@Suite struct ServerTableTests {
    static let lines: [Case] = [
        Case("\r\n", before: error, after: badFormat),
        Case("\n", before: error, after: badFormat),
        Case("a\r\n", before: error, after: badFormat),
        Case("ab\r\n", error),
        Case("abc\n", error),
        Case("get\r\n", before: error, after: badFormat),
        Case("get \r\n", before: error, after: badFormat),
        Case("gat 0\r\n", before: "END\r\n", after: badFormat),
        Case("gat x k\r\n", badExpiry),
        Case(" get foo\r\n", before: "END\r\n", after: error),
        Case(" verbosity 0\r\n", "OK\r\n"),
        Case("GET foo\r\n", error),
        Case("get\tfoo\r\n", error),
        Case("get \(long)\r\n", before: badFormat, after: badFormat + "\r\n"),
        Case("foo noreply\r\n", before: error, after: ""),
        Case("HTTP/1.1\r\n", before: "", after: error),
        Case("GET / HTTP/1.1\r\n", "", closes: true),
        Case("shutdown\r\n", before: "ERROR: shutdown not enabled\r\n", after: "SERVER_ERROR: shutdown not enabled\r\n"),
        Case("version\r\n", "VERSION v\r\n"),
        Case("version foo\r\n", "VERSION v\r\n"),
        Case("quit foo\r\n", "", closes: true),
        Case("verbosity\r\n", before: error, after: badFormat),
        Case("verbosity 0\r\n", "OK\r\n"),
        Case("verbosity 0 0 0\r\n", before: error, after: "OK\r\n"),
        Case("verbosity x\r\n", badFormat),
        Case("verbosity noreply\r\nversion\r\n", "VERSION v\r\n"),
        Case("flush_all noreply\r\nversion\r\n", "VERSION v\r\n"),
        Case("flush_all abc\r\n", badExpiry),
        Case("flush_all 0 foo\r\n", "OK\r\n"),
        Case("flush_all 0 foo bar\r\n", before: error, after: "OK\r\n"),
        Case("flush_all noreply 5\r\n", badExpiry),
        Case("flush_all -1\r\n", "OK\r\n"),
        Case("stats res\r\n", before: error, after: "RESET\r\n"),
        Case("stats reset\r\n", "RESET\r\n"),
        Case("stats foo\r\n", error),
        Case("bget k\r\n", before: "END\r\n", after: error),
    ]

    static let storage: [Case] = [
        Case("set k 0 0 1\nx\r\nget k\n", "STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"),
        Case("set k 4294967295 0 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 4294967295 1\r\nx\r\nEND\r\n"),
        Case("set k 4294967297 0 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 1 1\r\nx\r\nEND\r\n"),
        Case("set k +5 +7 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 5 1\r\nx\r\nEND\r\n"),
        Case("set k \t5 0 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 5 1\r\nx\r\nEND\r\n"),
        Case("set k 5\t0 0 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 5 1\r\nx\r\nEND\r\n"),
        Case("set k -18446744073709551615 0 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 1 1\r\nx\r\nEND\r\n"),
        Case("set k -1 0 1\r\nx\r\n", before: badFormat + error, after: badFormat),
        Case("set k 0 99999999999999999999 2\r\nxy\r\n", before: badFormat + error, after: badFormat),
        Case("set k 0 0 -1\r\nxyz\r\n", badFormat + error),
        Case("set k 0 0 -\r\n\r\n", before: badFormat + error, after: stored),
        Case("set k 0 0 4294967297\r\nx\r\n", before: stored, after: badFormat + badFormat),
        Case("set k 0 0 2147483647\r\nversion\r\n", badFormat + "VERSION v\r\n"),
        Case("set k 0 0 1 a b c d\r\nx\r\n", before: error + error, after: stored),
        Case("set k 0 0 1 a b c d noreply\r\nx\r\n", before: error + error, after: ""),
        Case("set \(long) 0 0 1\r\nx\r\n", before: badFormat + error, after: badFormat),
        Case("cas k 0 0 1\r\nx\r\n", before: error + error, after: badFormat),
        Case("cas k 0 0 1 abc\r\nx\r\n", before: badFormat + error, after: badFormat),
        Case("cas k 0 0 1 5\r\nx\r\n", "NOT_FOUND\r\n"),
        Case("set k 0 0 1\r\nx\r\ncas k 0 0 1 0\r\ny\r\n", "STORED\r\nEXISTS\r\n"),
        Case("set k 0 0 1\r\nx\r\ncas k 0 0 1 -1\r\ny\r\n", before: stored + badFormat + error, after: stored + badFormat),
        Case("set k 0 0 1\r\nxyz\r\n", before: "CLIENT_ERROR bad data chunk\r\n" + error,
            after: "CLIENT_ERROR bad data chunk\r\n" + badFormat),
        Case("set k 0 0 5\r\nxyz\r\nversion\r\n", "CLIENT_ERROR bad data chunk\r\nERROR\r\n"),
        Case("set k 0 0 1 noreply\r\nxyz\r\nversion\r\n", before: error + "VERSION v\r\n", after: badFormat + "VERSION v\r\n"),
        Case("set a\0b 0 0 1\r\nx\r\nget a\0b\r\n", before: error + error + "END\r\n",
            after: "STORED\r\nVALUE a\0b 0 1\r\nx\r\nEND\r\n"),
        Case("add k 0 0 1\r\nx\r\nadd k 0 0 1\r\ny\r\n", "STORED\r\nNOT_STORED\r\n"),
        Case("replace k 0 0 1\r\nx\r\nappend k 0 0 1\r\ny\r\nprepend k 0 0 1\r\nz\r\n", "NOT_STORED\r\nNOT_STORED\r\nNOT_STORED\r\n"),
        Case("set k 5 0 1\r\nb\r\nappend k 9 0 1\r\nc\r\nprepend k 9 0 1\r\na\r\nget k\r\n",
            "STORED\r\nSTORED\r\nSTORED\r\nVALUE k 5 3\r\nabc\r\nEND\r\n"),
        Case("set k 0 -1 1\r\nx\r\nget k\r\n", "STORED\r\nEND\r\n"),
        Case("set k 0 2592001 1\r\nx\r\nget k\r\n", "STORED\r\nEND\r\n"),
        Case("set k 0 2592000 1\r\nx\r\nget k\r\n", "STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"),
    ]

    static let rest: [Case] = [
        Case("delete k 0\r\n", "NOT_FOUND\r\n"),
        Case("delete k 5\r\n", before: "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n", after: "NOT_FOUND\r\n"),
        Case("delete k 0 noreply\r\n", ""),
        Case("delete noreply\r\n", before: "NOT_FOUND\r\n", after: ""),
        Case("incr k 18446744073709551616\r\n", badDelta),
        Case("incr k -1\r\n", badDelta),
        Case("incr k 00000000000000000000001\r\n", before: "NOT_FOUND\r\n", after: badDelta),
        Case("incr k 1 2 3\r\n", before: error, after: "NOT_FOUND\r\n"),
        Case("incr k\r\n", before: error, after: badFormat),
        Case("touch k\r\n", before: error, after: badFormat),
        Case("touch k 1 2 3\r\n", before: error, after: "NOT_FOUND\r\n"),
        Case("touch k abc\r\n", badExpiry),
        Case("touch k 4294967296\r\n", before: "NOT_FOUND\r\n", after: badExpiry),
        Case("touch k -\r\n", before: badExpiry, after: "NOT_FOUND\r\n"),
        Case("touch k +1\r\n", before: "NOT_FOUND\r\n", after: badExpiry),
        Case("touch \(long) 0\r\n", badFormat),
        Case("get a\rb\r\nget a\r\r\n", "END\r\nEND\r\n"),
    ]

    static let numbers: [Case] = [
        ("12 ", "incr", "1", "13", "13 "), ("12 abc", "incr", "1", "13", "13    "), ("\n 12", "incr", "1", "13", "13  "),
        ("12\0ab", "incr", "1", "13", "13   "), ("+1", "incr", "1", "2", "2 "),
        ("-18446744073709551615", "incr", "1", "2", "2" + String(repeating: " ", count: 20)),
        ("18446744073709551615", "incr", "1", "0", "0" + String(repeating: " ", count: 19)),
        ("99", "incr", "1", "100", "100"), ("100", "decr", "1", "99", "99 "), ("5", "decr", "6", "0", "0"),
        ("0", "incr", "18446744073709551615", "18446744073709551615", "18446744073709551615"),
        ("7", "decr", "0", "7", "7"),
    ].map { value, word, delta, number, left in
        Case(
            "set k 3 0 \(value.utf8.count)\r\n\(value)\r\n\(word) k \(delta)\r\nget k\r\n",
            "STORED\r\n\(number)\r\nVALUE k 3 \(left.utf8.count)\r\n\(left)\r\nEND\r\n")
    }

    static let nonNumbers: [Case] = ["", "x", "12abc ", "-1", "18446744073709551616", "0x10", "1.5"].map {
        Case("set k 0 0 \($0.utf8.count)\r\n\($0)\r\nincr k 1\r\ndecr k 1\r\n", stored + notNumeric + notNumeric)
    }

    @Test(arguments: lines + storage + rest + numbers + nonNumbers)
    func answers(_ row: Case) {
        for (dialect, expected) in [(Dialect.v1_6_18, row.before), (.v1_6_45, row.after)] {
            let connection = ServerModel(dialect: dialect, options: .init(version: "v")).connect()
            let answer = connection.receive(Bytes(row.sent))
            #expect(String(decoding: answer, as: UTF8.self) == expected, "\(dialect.name)")
            #expect(connection.isClosed == (row.closes || row.sent.hasPrefix("HTTP/") && dialect == .v1_6_18))
        }
    }

    @Test(arguments: lines + storage + rest + numbers + nonNumbers)
    func answersTheSameToEverySplit(_ row: Case) {
        let bytes = Bytes(row.sent)
        for dialect in [Dialect.v1_6_18, .v1_6_45, .kmemcache] {
            let whole = ServerModel(dialect: dialect).connect().receive(bytes)
            for cut in 0...min(bytes.count, 400) {
                let connection = ServerModel(dialect: dialect).connect()
                #expect(connection.receive(bytes.prefix(cut)) + connection.receive(bytes.dropFirst(cut)) == whole)
            }
            let connection = ServerModel(dialect: dialect).connect()
            #expect(bytes.flatMap { connection.receive([$0]) } == whole)
        }
    }

    @Test func badKeyAfterGoodOnes() {
        let bytes = Bytes("set a 0 0 1\r\nx\r\nget a b \(long) a\r\n")
        func answer(_ dialect: Dialect) -> String {
            String(decoding: ServerModel(dialect: dialect).connect().receive(bytes), as: UTF8.self)
        }
        #expect(answer(.v1_6_18) == stored + badFormat)
        #expect(answer(.v1_6_45) == stored + badFormat + "\r\n")
        #expect(answer(.kmemcache) == stored + badFormat)
    }

    @Test(arguments: [(Dialect.v1_6_18, true), (.v1_6_45, true), (.kmemcache, false)])
    func gatTouchesTheKeysBeforeABadOne(_ dialect: Dialect, _ touches: Bool) {
        let server = ServerModel(dialect: dialect)
        let connection = server.connect()
        connection.receive(Bytes("set a 0 0 1\r\nx\r\ngat 5 a \(long)\r\n"))
        server.cache.clock += 5
        #expect((connection.receive(Bytes("get a\r\n")) == Bytes("END\r\n")) == touches)
    }

    @Test(arguments: [
        ("delete k 5 x", "NOT_FOUND\r\n", "NOT_FOUND\r\n"), ("delete k 5 noreply", "", ""),
        ("delete k 5 x y", "NOT_FOUND\r\n", "\(Failure.deleteUsage.line)\r\n"), ("delete k 5 x noreply", "", ""),
    ])
    func wordsBehindDelete(_ line: String, _ memcached: String, _ kmemcache: String) {
        for (dialect, expected) in [(Dialect.v1_6_45, memcached), (.kmemcache, kmemcache)] {
            let answer = ServerModel(dialect: dialect).connect().receive(Bytes.line(line))
            #expect(String(decoding: answer, as: UTF8.self) == expected, "\(dialect.name)")
        }
    }

    /// kmemcache's long lines: key by key, whatever the split.
    @Test(arguments: [
        ("get", "VALUE a 0 1\r\nx\r\n", "END\r\n"), ("gats 0", "VALUE a 0 1 2\r\nx\r\n", "END\r\n"),
        ("get", "VALUE a 0 1\r\nx\r\n", badFormat), ("gat 0", "VALUE a 0 1\r\nx\r\n", badFormat),
    ])
    func longRetrievals(_ command: String, _ value: String, _ end: String) {
        let keys = String(repeating: " nothing a ", count: 400)
        let bytes = Bytes("\(command)\(keys)\(end == badFormat ? " " + long + " a" : "")\r\nversion\r\n")
        let expected = String(repeating: value, count: 400) + end + "VERSION v\r\n"
        for length in [1, 7, 2047, 2048, bytes.count] {
            let connection = ServerModel(dialect: .kmemcache, options: .init(version: "v")).connect()
            connection.receive(Bytes("set a 0 0 1\r\nx\r\n"))
            var answer: Bytes = []
            for begin in stride(from: 0, to: bytes.count, by: length) {
                answer += connection.receive(bytes[begin..<min(bytes.count, begin + length)])
            }
            #expect(String(decoding: answer, as: UTF8.self) == expected, "pieces of \(length)")
        }
    }

    @Test func longLinesOfKmemcache() {
        for (line, answer) in [
            (String(repeating: "x", count: 2046) + "\r\n", "ERROR\r\n"), (String(repeating: "x", count: 2047) + "\r\n", nil),
            ("gat x " + String(repeating: "k ", count: 2000) + "\r\n", nil), (" get" + String(repeating: " k", count: 2000) + "\r\n", nil),
            ("get" + String(repeating: " ", count: 3000) + "\r\n", badFormat),
        ] as [(String, String?)] {
            for pieces in [[Bytes(line)], Bytes(line).map { [$0] }] {
                let connection = ServerModel(dialect: .kmemcache).connect()
                let seen = pieces.flatMap { connection.receive($0) }
                #expect(String(decoding: seen, as: UTF8.self) == answer ?? "")
                #expect(connection.isClosed == (answer == nil))
            }
        }
    }
}
