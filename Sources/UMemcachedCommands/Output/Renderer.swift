// SPDX-License-Identifier: MIT

/// A column of a table or a field of a record.
struct Column: Equatable, Sendable {
    /// In JSON.
    let key: String
    /// In text.
    let title: String

    init(_ key: String, _ title: String) {
        self.key = key
        self.title = title
    }
}

/// Rows of the same columns.
struct Table: Equatable, Sendable {
    let columns: [Column]
    let rows: [[Value]]
}

/// One thing with its fields.
struct Record: Equatable, Sendable {
    let heading: String
    let fields: [(Column, Value)]

    static func == (left: Record, right: Record) -> Bool {
        left.heading == right.heading && left.fields.elementsEqual(right.fields, by: ==)
    }
}

/// How a document is shown: for a person, or for a program.
enum Format: Sendable {
    case text
    case json

    /// JSON: an array with an object for each row.
    func render(_ table: Table) -> String {
        switch self {
        case .json: Self.array(table.rows.map { Self.object(zip(table.columns, $0)) })
        case .text: Self.aligned([table.columns.map(\.title)] + table.rows.map { $0.map(\.text) })
        }
    }

    /// JSON: an array with an object for each record.
    func render(_ records: [Record]) -> String {
        switch self {
        case .json: Self.array(records.map { Self.object($0.fields) })
        case .text:
            records.map { record in
                printable(record.heading) + "\n" + Self.aligned(record.fields.map { ["  " + $0.0.title, $0.1.text] })
            }.joined(separator: "\n")
        }
    }

    /// Names and values. JSON: one object; what is a whole number becomes one.
    func render(_ pairs: [(String, String)]) -> String {
        switch self {
        case .json: Self.object(pairs.map { (Column($0.0, $0.0), Self.guessed($0.1)) }) + "\n"
        case .text: Self.aligned(pairs.map { [printable($0.0), printable($0.1)] })
        }
    }

    /// Cells below each other, two spaces between columns.
    private static func aligned(_ rows: [[String]]) -> String {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func object(_ fields: some Sequence<(Column, Value)>) -> String {
        "{" + fields.map { Value.quoted($0.0.key) + ": " + $0.1.json }.joined(separator: ", ") + "}"
    }

    private static func array(_ elements: [String]) -> String {
        elements.isEmpty ? "[]\n" : "[\n  " + elements.joined(separator: ",\n  ") + "\n]\n"
    }

    /// A number only where it reads back to the same text, so that nothing is lost.
    private static func guessed(_ text: String) -> Value {
        guard let number = UInt64(text), String(number) == text else { return .text(text) }
        return .integer(number)
    }
}
