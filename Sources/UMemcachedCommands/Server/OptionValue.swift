// SPDX-License-Identifier: MIT

import KMCControl

extension OptionRow {
    /// Takes the option over into `options`.
    ///
    /// - Parameter argument: what followed; `nil` for nothing
    func apply(_ argument: String?, to options: inout ServerOptions) throws(Failure) {
        switch meaning {
        case .set(let field, let value): options[keyPath: field] = value
        case .setHere(let field): options[keyPath: field] = true
        case .count(let field, let limit): options[keyPath: field] = min((options[keyPath: field] ?? 0) + 1, limit)
        case .number(let place, let range, let unit):
            try store(try number(argument, range, unit), in: place, of: &options)
        case .text(let field): options[keyPath: field] = try text(argument)
        case .list(let field):
            for item in try text(argument).split(whereSeparator: { $0 == "," || $0 == ";" }) {
                let item = String(item)
                if !options[keyPath: field].contains(item) { options[keyPath: field].append(item) }
            }
        case .wireProtocol: options.settings.wireProtocol = try wireProtocol(argument)
        case .prefixDelimiter:
            options.settings.prefixDelimiter = try text(argument).utf8.first
            options.settings.statsDetail = true
        case .suboptions: try Suboptions.apply(argument ?? "", to: &options)
        case .print, .noEffect: break
        case .notOffered:
            let reason = sentence.isEmpty ? "leave it out" : "\(sentence), so leave it out"
            throw Failure("\(spelling) is not offered yet: \(reason)", status: refusal)
        }
    }

    private func text(_ argument: String?) throws(Failure) -> String {
        guard let argument, !argument.isEmpty else { throw Failure("\(spelling) needs a value", status: refusal) }
        return argument
    }

    private func wireProtocol(_ argument: String?) throws(Failure) -> WireProtocol {
        switch argument {
        case "auto": return .auto
        case "ascii": return .text
        case "binary":
            throw Failure("the binary protocol is not offered yet: give -B auto or -B ascii", status: refusal)
        default: throw Failure("-B takes auto or ascii, not \"\(argument ?? "")\"", status: refusal)
        }
    }

    /// The number as written, still without its unit but for thousandths and sizes.
    private func number(_ argument: String?, _ range: ClosedRange<Int64>, _ unit: Unit) throws(Failure) -> Int64 {
        guard let argument, let number = unit.read(argument), range.contains(number) else {
            let given = argument.map { "not \"\($0)\"" } ?? "and has none"
            throw Failure("\(spelling) takes \(unit.describe(range)), \(given)", status: refusal)
        }
        return unit.scale(number)
    }

    private func store(_ number: Int64, in place: Place, of options: inout ServerOptions) throws(Failure) {
        // The table's ranges fit; a row that does not is a bug that the tests would find.
        switch place {
        case .int32(let field): options[keyPath: field] = Int32(number)
        case .u32(let field): options[keyPath: field] = UInt32(number)
        case .u64(let field): options[keyPath: field] = UInt64(number)
        }
    }
}

extension OptionRow.Unit {
    /// `nil` for what is not a number of this kind. memcached drops what follows a number; here it is refused.
    func read(_ text: String) -> Int64? {
        switch self {
        case .one, .kibibytes, .mebibytes: return Int64(text)
        case .octal: return Int64(text, radix: 8)
        case .thousandths: return Self.thousandths(text)
        case .suffixed:
            let shifts: [Character: Int64] = ["k": 10, "m": 20, "g": 30]
            guard let shift = text.last.flatMap({ shifts[Character($0.lowercased())] }) else { return Int64(text) }
            guard let number = Int64(text.dropLast()) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
            return overflow ? nil : product
        }
    }

    /// From the unit of the command line to the unit of the setting.
    func scale(_ number: Int64) -> Int64 {
        switch self {
        case .one, .octal, .thousandths, .suffixed: number
        case .kibibytes: number << 10
        case .mebibytes: number << 20
        }
    }

    func describe(_ range: ClosedRange<Int64>) -> String {
        switch self {
        case .one: "a number from \(range.lowerBound) to \(range.upperBound)"
        case .kibibytes: "a number of KiB from \(range.lowerBound) to \(range.upperBound)"
        case .mebibytes: "a number of MiB from \(range.lowerBound) to \(range.upperBound)"
        case .octal: "an octal number from 0 to \(String(range.upperBound, radix: 8))"
        case .thousandths: "a factor above 1, at most \(range.upperBound / 1000)"
        case .suffixed: "a size from \(range.lowerBound) bytes to \(range.upperBound >> 20)m"
        }
    }

    /// Digits, and up to three more behind a point; further ones are dropped.
    private static func thousandths(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        guard let whole = Int64(parts[0].isEmpty ? "0" : parts[0]), (0...1_000_000).contains(whole),
            fraction.allSatisfy({ $0.isASCII && $0.isNumber }), text.contains(where: \.isNumber),
            let rest = Int64((fraction + "000").prefix(3))
        else { return nil }
        return whole * 1000 + rest
    }
}
