// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

@Suite struct ServerLimitTests {
    private func connection(_ dialect: Dialect = .v1_6_45) -> ServerModel.Connection {
        ServerModel(dialect: dialect).connect()
    }

    private func text(_ bytes: Bytes) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [("x", false), ("gat 0 ", false), ("get ", true), ("gets ", true), ("  get ", true)])
    func unfinishedLine(_ start: String, _ mayBeLong: Bool) {
        let connection = connection()
        connection.receive(Bytes(start) + Bytes(repeating: 0x61, count: 2048 - start.utf8.count))
        #expect(!connection.isClosed)
        connection.receive([0x61])
        #expect(connection.isClosed != mayBeLong)
    }

    @Test func longLineThatArrivesWhole() {
        let whole = connection()
        #expect(text(whole.receive(Bytes(repeating: 0x78, count: 3000) + Bytes("\r\n"))) == "ERROR\r\n")
        let beyondBuffer = connection()
        #expect(beyondBuffer.receive(Bytes(repeating: 0x78, count: 20000) + Bytes("\r\n")).isEmpty)
        #expect(beyondBuffer.isClosed)
    }

    @Test func nothingIsReadAfterTheEnd() {
        let connection = connection()
        connection.receive(Bytes("quit\r\nset a 0 0 1\r\nx\r\n"))
        #expect(connection.isClosed && !connection.isIdle)
        #expect(connection.receive(Bytes("get a\r\n")).isEmpty)
    }

    @Test func tooLarge() {
        let server = ServerModel()
        let connection = server.connect()
        let data = Bytes(repeating: 0x76, count: 1 << 20) + Bytes("\r\n")
        connection.receive(Bytes("set k 1 0 1\r\nx\r\n"))
        let answer = connection.receive(Bytes("add k 0 0 1048576\r\n"))
        #expect(text(answer) == "SERVER_ERROR object too large for cache\r\n", "refused before the data arrives")
        #expect(text(connection.receive(data + Bytes("get k\r\n"))) == "VALUE k 1 1\r\nx\r\nEND\r\n", "add keeps the old item")
        connection.receive(Bytes("set k 0 0 1048576\r\n") + data)
        #expect(text(connection.receive(Bytes("get k\r\n"))) == "END\r\n", "set removes the old item")
        #expect(server.cache.counters.tooLarge == 2)
    }

    /// The greatest values that memcached 1.6.45 took with its default of 1 MiB, key "k".
    @Test(arguments: [(0, 1_048_516), (1, 1_048_512)])
    func greatestValue(_ flags: Int, _ length: Int) {
        func answer(_ length: Int) -> String {
            let value = Bytes(repeating: 0x76, count: length)
            return text(connection().receive(Bytes("set k \(flags) 0 \(length)\r\n") + value + Bytes("\r\n")))
        }
        #expect(answer(length) == "STORED\r\n")
        #expect(answer(length + 1) == "SERVER_ERROR object too large for cache\r\n")
    }

    @Test func appendBeyondTheLimitKeepsTheItem() {
        let connection = connection()
        let half = Bytes(repeating: 0x76, count: 600_000)
        connection.receive(Bytes("set k 0 0 600000\r\n") + half + Bytes("\r\n"))
        #expect(text(connection.receive(Bytes("append k 0 0 600000\r\n") + half + Bytes("\r\n"))) == "NOT_STORED\r\n")
        #expect(connection.receive(Bytes("get k\r\n")).count > 600_000)
    }

    @Test func chunkedItemIsNoNumber() {
        let connection = connection()
        let value = Bytes("1") + Bytes(repeating: 0x20, count: 599_999)
        connection.receive(Bytes("set k 0 0 600000\r\n") + value + Bytes("\r\n"))
        #expect(text(connection.receive(Bytes("incr k 1\r\n"))) == "\(Failure.notNumeric.line)\r\n")
    }

    @Test func shutdownAndFlushByOption() {
        let server = ServerModel(options: .init(version: "v", allowsShutdown: true, allowsFlush: false))
        let connection = server.connect()
        #expect(text(connection.receive(Bytes("flush_all\r\n"))) == "CLIENT_ERROR flush_all not allowed\r\n")
        #expect(text(connection.receive(Bytes("flush_all x\r\n"))) == "CLIENT_ERROR flush_all not allowed\r\n")
        #expect(server.cache.counters.flushCommands == 2, "refused, and counted")
        #expect(text(connection.receive(Bytes("shutdown now\r\n"))) == "CLIENT_ERROR invalid shutdown mode\r\n")
        #expect(connection.receive(Bytes("shutdown graceful\r\n")).isEmpty)
        #expect(server.shutdown == .graceful && connection.isClosed)
    }

    @Test func connectionsShareTheCacheButNotTheirLines() {
        let server = ServerModel()
        let first = server.connect()
        let second = server.connect()
        first.receive(Bytes("set k 0 0 2\r\na"))
        #expect(text(second.receive(Bytes("get k\r\n"))) == "END\r\n")
        #expect(text(first.receive(Bytes("b\r\n"))) == "STORED\r\n")
        #expect(text(second.receive(Bytes("get k\r\n"))) == "VALUE k 0 2\r\nab\r\nEND\r\n")
    }
}
