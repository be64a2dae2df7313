// SPDX-License-Identifier: MIT

/// A value to be shown: exact in JSON, readable in text.
enum Value: Equatable, Sendable {
    case text(String)
    case integer(UInt64)
    case flag(Bool)
    case bytes(UInt64)
    case seconds(UInt64)
    /// `part` of `whole`, as a percentage.
    case share(UInt64, of: UInt64)
    case list([String])

    var text: String {
        switch self {
        case .text(let text): printable(text)
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "yes" : "no"
        case .bytes(let count): Self.size(count)
        case .seconds(let count): Self.duration(count)
        case .share(_, of: 0): "-"
        case .share(let part, let whole): Self.percentage(part, whole) + " %"
        case .list(let items): items.map(printable).joined(separator: ", ")
        }
    }

    var json: String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .integer(let number), .bytes(let number), .seconds(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .share(_, of: 0): "null"
        case .share(let part, let whole): Self.percentage(part, whole)
        case .list(let items): "[" + items.map(Self.quoted).joined(separator: ", ") + "]"
        }
    }

    /// A JSON string (RFC 8259, section 7).
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case ..<" ", "\u{7f}"..."\u{9f}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Largest unit with at least one whole, one digit behind the point.
    private static func size(_ count: UInt64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard count >= 1024 else { return "\(count) bytes" }
        var power = 0
        while power + 1 < units.count && count >> (10 * UInt64(power + 2)) > 0 { power += 1 }
        let unit = UInt64(1) << (10 * UInt64(power + 1))
        return "\(count / unit).\(count % unit * 10 / unit) \(units[power])"
    }

    /// The two largest units.
    private static func duration(_ seconds: UInt64) -> String {
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let first = parts.firstIndex { $0.0 > 0 } ?? parts.count - 1
        return parts[first...].prefix(2).map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    /// One digit behind the point.
    private static func percentage(_ part: UInt64, _ whole: UInt64) -> String {
        let tenths = part.multipliedFullWidth(by: 1000)
        let (quotient, _) = whole > tenths.high ? whole.dividingFullWidth(tenths) : (1000, 0)
        return "\(quotient / 10).\(quotient % 10)"
    }
}
