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
        case .effect(let effect): effect(&options)
        case .list(let field):
            for item in try text(argument).split(whereSeparator: { $0 == "," || $0 == ";" }) {
                let item = String(item)
                if !options[keyPath: field].contains(item) { options[keyPath: field].append(item) }
            }
        case .wireProtocol: options.settings.wireProtocol = try wireProtocol(argument)
        case .hashAlgorithm: options.settings.hashAlgorithm = try hashAlgorithm(argument)
        case .prefixDelimiter:
            options.settings.prefixDelimiter = try text(argument).utf8.first
            options.settings.statsDetail = true
        case .suboptions: try Suboptions.apply(argument ?? "", to: &options)
        case .print, .noEffect: break
        case .notOffered(let reason):
            throw Failure("\(spelling) is not offered: \(reason), so leave it out", status: refusal)
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
        case "binary": return .binary
        default: throw Failure("-B takes auto, ascii or binary, not \"\(argument ?? "")\"", status: refusal)
        }
    }

    private func hashAlgorithm(_ argument: String?) throws(Failure) -> HashAlgorithm {
        switch argument {
        case "murmur3": return .murmur3
        case "jenkins": return .jenkins
        case "xxh3": return .xxh3
        default: throw Failure("\(spelling) takes murmur3, jenkins or xxh3, not \"\(argument ?? "")\"", status: refusal)
        }
    }

    /// The number in the unit of the setting. The range is that of the number as written.
    private func number(_ argument: String?, _ range: ClosedRange<Int64>, _ unit: Unit) throws(Failure) -> Int64 {
        guard let written = argument ?? unit.whenAbsent, let number = unit.read(written), range.contains(number) else {
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
        case .nowhere: break
        }
    }
}

extension OptionRow.Unit {
    /// `nil` for what memcached, too, refuses to read.
    func read(_ text: String) -> Int64? {
        switch self {
        case .one, .mebibytes, .level: Int64(CNumber.int(text))
        case .mark: Int64(CNumber.unsigned(text) ?? 0)
        case .share: Self.millionths(text)
        case .octal: Int64(CNumber.octal(text))
        case .exact, .exactKibibytes, .exactMebibytes: CNumber.whole(text)
        case .thousandths: Self.thousandths(text)
        case .partInThousandths: Self.part(text)
        case .suffixed: Self.size(text)
        }
    }

    /// From the unit of the command line to the unit of the setting.
    func scale(_ number: Int64) -> Int64 {
        switch self {
        case .one, .exact, .thousandths, .partInThousandths, .suffixed, .mark, .level, .share: number
        case .octal: number & 0o777
        case .exactKibibytes: number << 10
        case .mebibytes, .exactMebibytes: number << 20
        }
    }

    func describe(_ range: ClosedRange<Int64>) -> String {
        switch self {
        case .share: "a fraction above 0, at most 1"
        case .one, .exact, .mark, .level: "a number from \(range.lowerBound) to \(range.upperBound)"
        case .exactKibibytes: "a number of KiB from \(range.lowerBound) to \(range.upperBound)"
        case .mebibytes, .exactMebibytes: "a number of MiB from \(range.lowerBound) to \(range.upperBound)"
        case .octal: "an octal number"
        case .thousandths: "a factor above 1, at most \(range.upperBound / 1000)"
        case .partInThousandths: "a factor above 0"
        case .suffixed: "a size from \(range.lowerBound) bytes to \(range.upperBound >> 20)m, in bytes or with k or m behind"
        }
    }

    /// What stands for nothing.
    var whenAbsent: String? {
        if case .level = self { "1" } else { nil }
    }

    /// Above 0, at most 1; the smallest stands for all that are smaller.
    private static func millionths(_ text: String) -> Int64? {
        let share = CNumber.double(text)
        guard share > 0, share <= 1 else { return nil }
        return max(1, Int64(share * 1e6 + 0.5))
    }

    /// Factors between 1 and 1.001 count as the latter, and the largest stands for all that are larger.
    private static func thousandths(_ text: String) -> Int64? {
        let factor = CNumber.double(text)
        guard factor > 1 else { return nil }
        // Written out, a factor is decimal: 1.1 shall be 1100 although it is a little less as a double.
        return max(1_001, Int64(min(factor, 1_000) * 1_000 + 1e-6))
    }

    /// What is above 0 but below 0.001 counts as that.
    private static func part(_ text: String) -> Int64? {
        let factor = CNumber.double(text)
        guard factor > 0 else { return nil }
        return max(1, Int64(min(factor, 1_000_000) * 1_000 + 1e-6))
    }

    /// Bytes, or with k or m behind; overflow wraps, as it does in memcached.
    private static func size(_ text: String) -> Int64? {
        let shifts: [Character: Int32] = ["k": 10, "m": 20]
        let shift = text.lowercased().last.flatMap { shifts[$0] } ?? 0
        return Int64(CNumber.int(text) &* (1 << shift))
    }
}
