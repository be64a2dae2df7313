// SPDX-License-Identifier: MIT

/// What the flags of a meta command mean together.
struct MetaOptions {
    private(set) var key: Bytes
    /// b
    private(set) var isBinary = false
    /// v
    private(set) var wantsValue = false
    /// u
    private(set) var isUnseen = false
    /// q
    private(set) var isQuiet = false
    /// I
    private(set) var invalidates = false
    /// x
    private(set) var removesValue = false
    /// N
    private(set) var vivify: Int32?
    /// T
    private(set) var expiry: Int32?
    /// R
    private(set) var recache: Int32?
    /// C
    private(set) var unique: UInt64?
    /// E
    private(set) var newUnique: UInt64?
    /// M
    private(set) var mode: UInt8?
    /// J
    private(set) var initial: UInt64 = 0
    /// D
    private(set) var delta: UInt64 = 1
    /// F
    private(set) var clientFlags: UInt32 = 0
    /// O is longer than it may be.
    private(set) var hasLongOpaque = false

    private let dialect: Dialect

    /// - Throws: the refusal: unknown and repeated flags at once, else that of the last bad argument.
    init(_ request: MetaRequest, _ dialect: Dialect) throws(Failure) {
        self.dialect = dialect
        key = request.key
        if key.count > Limits.keyLength { throw .badFormat }
        var seen: Set<UInt8> = []
        var refusal: Failure?
        for flag in request.flags {
            if flag.letter >= 127 || !seen.insert(flag.letter).inserted { throw .duplicateFlag }
            do throws(Failure) {
                try read(flag)
            } catch {
                if error == .unknownFlag { throw error }
                // A bad F has no words of its own.
                refusal = error == .badFormat ? refusal ?? error : error
            }
        }
        if let refusal { throw refusal }
    }

    private mutating func read(_ flag: MetaFlag) throws(Failure) {
        let argument = flag.argument[...]
        switch Character(Unicode.Scalar(flag.letter)) {
        case "b": try decodeKey()
        case "v": wantsValue = true
        case "u": isUnseen = true
        case "q": isQuiet = true
        case "I": invalidates = true
        case "x" where dialect.knowsNewFlags: removesValue = true
        case "N": vivify = try signed(argument)
        case "T": expiry = try signed(argument)
        case "R": recache = try signed(argument)
        case "C": unique = try unsigned(argument, .badArgument)
        case "E" where dialect.knowsNewFlags: newUnique = try unsigned(argument, .badArgument)
        case "J": initial = try unsigned(argument, .badInitial)
        case "D": delta = try unsigned(argument, .badMetaDelta)
        case "F": clientFlags = try flags(argument)
        case "M": mode = try letter(argument)
        case "O": hasLongOpaque = argument.count + 1 > Limits.opaque
        case "k", "s", "t", "c", "f", "l", "h", "P", "L": break
        default: throw .unknownFlag
        }
    }

    private mutating func decodeKey() throws(Failure) {
        isBinary = true
        guard let bytes = Base64.decode(key) else { throw .badBase64 }
        key = bytes
    }

    private func letter(_ argument: ArraySlice<UInt8>) throws(Failure) -> UInt8 {
        if dialect.readsNumbersLikeC, argument.count != 1 { throw .badModeLength }
        return argument.first ?? ASCII.space
    }

    private func signed(_ argument: ArraySlice<UInt8>) throws(Failure) -> Int32 {
        let number = dialect.readsNumbersLikeC ? Numbers.cSigned32(argument) : Numbers.signed32(argument)
        guard let number, !argument.isEmpty else { throw .badArgument }
        return number
    }

    private func unsigned(_ argument: ArraySlice<UInt8>, _ refusal: Failure) throws(Failure) -> UInt64 {
        let number = dialect.readsNumbersLikeC ? Numbers.c64(argument) : Numbers.unsigned(argument)
        guard let number, !argument.isEmpty else { throw refusal }
        return number
    }

    private func flags(_ argument: ArraySlice<UInt8>) throws(Failure) -> UInt32 {
        let number = dialect.readsNumbersLikeC ? Numbers.c32(argument) : Numbers.unsigned32(argument)
        guard let number, !argument.isEmpty else { throw .badFormat }
        return number
    }
}

extension MetaOptions {
    /// How `ms` stores.
    var storeMode: StoreMode? {
        switch mode.map({ Character(Unicode.Scalar($0)) }) {
        case nil, "S": unique == nil ? .set : .cas
        case "E": .add
        case "A": .append
        case "P": .prepend
        case "R": unique == nil ? .replace : .cas
        default: nil
        }
    }

    /// Which way `ma` counts.
    var direction: Arithmetic.Direction? {
        switch mode.map({ Character(Unicode.Scalar($0)) }) {
        case nil, "I", "+": .incr
        case "D", "-": .decr
        default: nil
        }
    }

    /// Whether an append or prepend may begin the item.
    var vivifiesJoin: Bool {
        vivify != nil && dialect.knowsNewFlags && (storeMode == .append || storeMode == .prepend)
    }
}
