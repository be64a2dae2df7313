// SPDX-License-Identifier: MIT

import KMCControl
import Testing

@testable import UMemcachedCommands

struct RendererTests {
    private static let table = Table(
        columns: [Column("id", "ID"), Column("name", "NAME"), Column("listens", "LISTENS")],
        rows: [
            [.integer(1), .text("tcp-11211"), .list(["127.0.0.1:11211", "[::1]:11211"])],
            [.integer(12), .text("b"), .list([])],
        ])

    @Test func aTableIsAligned() {
        #expect(
            Format.text.render(Self.table) == """
                ID  NAME       LISTENS
                1   tcp-11211  127.0.0.1:11211, [::1]:11211
                12  b          \("")

                """)
    }

    @Test func aTableIsAnArrayOfObjects() {
        #expect(
            Format.json.render(Self.table) == """
                [
                  {"id": 1, "name": "tcp-11211", "listens": ["127.0.0.1:11211", "[::1]:11211"]},
                  {"id": 12, "name": "b", "listens": []}
                ]

                """)
        #expect(Format.json.render(Table(columns: [], rows: [])) == "[]\n")
    }

    @Test func pairsKeepWhatIsNoNumber() {
        let pairs = [("a", "5"), ("b", "0.5"), ("c", "007"), ("d", "18446744073709551616"), ("e", "-1")]
        #expect(
            Format.json.render(pairs)
                == "{\"a\": 5, \"b\": \"0.5\", \"c\": \"007\", \"d\": \"18446744073709551616\", \"e\": \"-1\"}\n")
        #expect(Format.text.render([("a", "5"), ("bb", "6")]) == "a   5\nbb  6\n")
    }

    @Test func aRecordIsAHeadingWithFields() {
        let record = Record(
            heading: "tcp-1",
            fields: [(Column("up", "running for"), .seconds(61)), (Column("b", "memory"), .bytes(1536))])
        #expect(Format.text.render([record]) == "tcp-1\n  running for  1 min 1 s\n  memory       1.5 KiB\n")
        #expect(Format.json.render([record]) == "[\n  {\"up\": 61, \"b\": 1536}\n]\n")
    }

    /// What clients store ends in statistics: it must do nothing to a terminal.
    @Test func whatClientsSentIsMadeSafe() {
        let bad = "a\u{1b}[2Jb\n\u{9b}c\u{7f}\u{e9}"
        #expect(Value.text(bad).text == "a\\x1b[2Jb\\x0a\\xc2\\x9bc\\x7f\\xc3\\xa9")
        #expect(Value.text(bad).json == "\"a\\u001b[2Jb\\n\\u009bc\\u007f\u{e9}\"")
        #expect(Value.text("\"\\").json == "\"\\\"\\\\\"")
        #expect(Format.text.render([("k\u{1b}", "v\u{1b}")]) == "k\\x1b  v\\x1b\n")
        #expect(Format.json.render([("k\u{1b}", "v")]) == "{\"k\\u001b\": \"v\"}\n")
    }

    @Test(arguments: [
        (Value.bytes(1023), "1023 bytes"), (.bytes(1024), "1.0 KiB"), (.bytes(64 << 20), "64.0 MiB"),
        (.bytes(.max), "16777215.9 TiB"), (.seconds(0), "0 s"), (.seconds(59), "59 s"), (.seconds(3_600), "1 h 0 min"),
        (.seconds(90_061), "1 d 1 h"), (.share(0, of: 0), "-"), (.share(1, of: 3), "33.3 %"),
        (.share(3, of: 3), "100.0 %"),
        (.share(.max, of: .max), "100.0 %"), (.flag(true), "yes"), (.flag(false), "no"),
    ])
    func valuesAreReadable(value: Value, text: String) {
        #expect(value.text == text)
    }
}
