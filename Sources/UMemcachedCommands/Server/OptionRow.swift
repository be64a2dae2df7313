// SPDX-License-Identifier: MIT

import KMCControl

/// One option of a server, or one suboption of `-o`. Parsing, checks, help and the settings sent all come from such
/// rows.
struct OptionRow: Sendable {
    typealias Field<Value> = WritableKeyPath<ServerOptions, Value> & Sendable

    /// Whether a value follows, and its name in the help.
    enum Argument: Equatable, Sendable {
        case none
        case required(String)
        /// Only as `--long=VALUE`, and not read: memcached's `--verbose` takes one so.
        case ignored
    }

    /// Where a number goes.
    enum Place: Sendable {
        case int32(any Field<Int32?>)
        case u32(any Field<UInt32?>)
        case u64(any Field<UInt64?>)
        /// Checked, and without effect.
        case nowhere
    }

    /// How a number is written and what it is multiplied with.
    enum Unit: Sendable {
        case one
        /// Permissions.
        case octal
        /// Decimal fraction, kept in thousandths.
        case thousandths
        /// The same, and may be below 1.
        case partInThousandths
        case mebibytes
        /// Bytes, or with k or m behind.
        case suffixed
        /// Nothing may follow the number.
        case exact
        case exactKibibytes
        case exactMebibytes
        /// 32 bits; what is no such number is 0.
        case mark
        /// 1 when nothing is given.
        case level
        /// Decimal fraction above 0 and up to 1, kept in millionths.
        case share
    }

    /// What prints and ends.
    enum Printout: Sendable {
        case help
        case version
        case license
    }

    enum Meaning: Sendable {
        case set(any Field<Bool?>, Bool)
        case setHere(any Field<Bool>)
        case count(any Field<UInt8?>, upTo: UInt8)
        /// The range is that of the number as written.
        case number(Place, ClosedRange<Int64>, Unit)
        case text(any Field<String?>)
        case list(any Field<[String]>)
        /// What touches more than one field.
        case effect(@Sendable (inout ServerOptions) -> Void)
        case wireProtocol
        case hashAlgorithm
        case prefixDelimiter
        case suboptions
        case print(Printout)
        /// Taken, and without effect.
        case noEffect
        /// memcached's, refused for that reason. Not in the help.
        case notOffered(reason: String)
    }

    /// `nil` for suboptions and for options that have a long name only.
    let short: Character?
    /// The long name; `nil` for options that have a letter only.
    let name: String?
    let argument: Argument
    let meaning: Meaning
    /// What holds when it is absent, as written on a command line.
    let preset: String?
    /// For the help; empty: not shown there.
    let sentence: String
    /// Exit status for a value that is wrong, as memcached has it.
    let refusal: Int32
    /// Not memcached's: unknown under that name.
    let isOwn: Bool
    /// Stands behind `-o`.
    var isSuboption = false

    /// As a person writes it.
    var spelling: String {
        short.map { "-\($0)" } ?? (isSuboption ? "-o " : "--") + (name ?? "")
    }

    static func flag(_ short: Character?, _ name: String?, _ meaning: Meaning, _ sentence: String, own: Bool = false)
        -> Self
    {
        Self(
            short: short, name: name, argument: .none, meaning: meaning, preset: nil, sentence: sentence,
            refusal: ExitStatus.usage, isOwn: own)
    }

    static func value(
        _ short: Character?, _ name: String?, _ argument: String, _ meaning: Meaning, preset: String? = nil,
        _ sentence: String, refusal: Int32 = ExitStatus.usage, own: Bool = false
    ) -> Self {
        Self(
            short: short, name: name, argument: .required(argument), meaning: meaning, preset: preset,
            sentence: sentence, refusal: refusal, isOwn: own)
    }

    /// Of `-o`, where everything that is wrong has the same status.
    static func suboption(
        _ name: String, _ argument: String?, _ meaning: Meaning, preset: String? = nil, _ sentence: String = ""
    ) -> Self {
        Self(
            short: nil, name: name, argument: argument.map(Argument.required) ?? .none, meaning: meaning,
            preset: preset, sentence: sentence, refusal: ExitStatus.failure, isOwn: false, isSuboption: true)
    }

    static func notOffered(_ short: Character, _ name: String, _ argument: String? = nil, _ reason: String) -> Self {
        Self(
            short: short, name: name, argument: argument.map(Argument.required) ?? .none,
            meaning: .notOffered(reason: reason), preset: nil, sentence: "", refusal: ExitStatus.usage, isOwn: false)
    }
}
