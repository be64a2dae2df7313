// SPDX-License-Identifier: MIT

/// A meta command as it stands on its line (protocol.txt, "Meta Commands").
public struct MetaRequest: Equatable, Sendable {
    public enum Verb: String, CaseIterable, Sendable {
        case get = "mg", store = "ms", delete = "md", arithmetic = "ma", debug = "me", noOperation = "mn"
    }

    public var verb: Verb
    /// As it is written: base64 where there is a flag `b`.
    public var key: Bytes
    public var flags: [MetaFlag]
    /// Only looked at for `ms`.
    public var value: Bytes

    public init(_ verb: Verb, key: Bytes = [], flags: [MetaFlag] = [], value: Bytes = []) {
        self.verb = verb
        self.key = key
        self.flags = flags
        self.value = value
    }

    /// With flags as they are written, blanks between them.
    public init(_ verb: Verb, key: Bytes, _ flags: String, value: Bytes = []) {
        let words = Bytes(flags).split(separator: ASCII.space)
        self.init(verb, key: key, flags: words.map { MetaFlag($0) }, value: value)
    }

    public func has(_ letter: Character) -> Bool {
        flags.contains { $0.letter == letter.asciiValue }
    }
}

/// A flag of a meta command: a letter and what stands behind it.
public struct MetaFlag: Equatable, Sendable {
    public var letter: UInt8
    public var argument: Bytes

    public init(_ letter: Character, _ argument: Bytes = []) {
        self.letter = letter.asciiValue ?? ASCII.nul
        self.argument = argument
    }

    /// A word, which isn't empty.
    public init(_ word: ArraySlice<UInt8>) {
        letter = word.first ?? ASCII.nul
        argument = Bytes(word.dropFirst())
    }

    public var word: Bytes { [letter] + argument }
}

/// The answer to a meta command.
public struct MetaReply: Equatable, Sendable {
    public enum Code: String, CaseIterable, Sendable {
        case value = "VA", done = "HD", miss = "EN", notFound = "NF", notStored = "NS", exists = "EX"
        case debug = "ME", noOperation = "MN"
    }

    public var code: Code
    /// What stands behind the code, or behind the length of a value: the flags in the order asked for.
    public var words: [Bytes]
    /// Present for ``Code/value``.
    public var value: Bytes?

    public init(_ code: Code, _ words: [Bytes] = [], value: Bytes? = nil) {
        self.code = code
        self.words = words
        self.value = value
    }
}

extension Failure {
    public static let tooManyFlags = Failure("CLIENT_ERROR options flags are too long")
    /// 1.6.18's words for the same, but for `mg`.
    public static let tooManyFlagsBefore = Failure("CLIENT_ERROR options flags too long")
    public static let unknownFlag = Failure("CLIENT_ERROR invalid flag")
    public static let duplicateFlag = Failure("CLIENT_ERROR duplicate flag")
    public static let unknownOrDuplicateFlag = Failure("CLIENT_ERROR invalid or duplicate flag")
    public static let badBase64 = Failure("CLIENT_ERROR error decoding key")
    public static let badArgument = Failure("CLIENT_ERROR bad token in command line format")
    public static let badInitial = Failure("CLIENT_ERROR invalid numeric initial value")
    public static let badMetaDelta = Failure("CLIENT_ERROR invalid numeric delta value")
    public static let badStoreMode = Failure("CLIENT_ERROR invalid mode for ms M token")
    public static let badArithmeticMode = Failure("CLIENT_ERROR invalid mode for ma M token")
    public static let opaqueTooLong = Failure("CLIENT_ERROR opaque token too long")
    /// 1.6.18 wants one letter behind M.
    public static let badModeLength = Failure("CLIENT_ERROR incorrect length for M token")
}
