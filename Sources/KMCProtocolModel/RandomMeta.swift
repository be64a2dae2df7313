// SPDX-License-Identifier: MIT

/// Random meta commands over the keys of ``RandomRequests``, most of them valid.
public struct RandomMeta: Sendable {
    private let requests: RandomRequests
    /// Where numbers may lose their spaces, what a client sees of them is not certain: a number that is being read when it
    /// changes becomes a new item, which has forgotten its time of storing, who fetched it, and that its key came in base64.
    private let avoidsNumberMarks: Bool
    private let knowsNewFlags: Bool

    public init(_ requests: RandomRequests, dialect: Dialect) {
        self.requests = requests
        avoidsNumberMarks = dialect.mayTrimNumbers
        knowsNewFlags = dialect.knowsNewFlags
    }

    private static let verbs: [(weight: Int, value: MetaRequest.Verb)] = [
        (45, .get), (25, .store), (10, .delete), (14, .arithmetic), (4, .debug), (2, .noOperation),
    ]

    /// The flags that a command heeds, those more often that have much to do.
    private static let letters: [MetaRequest.Verb: [Character]] = [
        .get: Array("cfhkOqstuvvvvCENNRTPL"), .store: Array("cCEFIkOqsTMMNPL"), .delete: Array("CEIkOqTxPL"),
        .arithmetic: Array("CENJDMOqtcvvkT"), .debug: [],
    ]

    /// What a number's flags may be where ``avoidsNumberMarks``.
    private static let plain: Set<Character> = ["k", "O", "q", "v", "f", "M", "J", "D", "c", "C", "P", "F", "N"]

    private static let longOpaque = Bytes(repeating: 0x6F, count: Limits.opaque)

    /// - Parameter unique: gives the unique that C compares with.
    public func next(_ random: inout RandomSource, unique: (Bytes) -> UInt64?) -> MetaRequest {
        let verb = random.pick(weighted: Self.verbs)
        guard verb != .noOperation else { return MetaRequest(.noOperation) }
        let hasNumbers = requests.options.numbers > 0
        let numeric = hasNumbers && random.chance(share(ofNumbers: verb))
        let raw = key(numeric: numeric, &random)
        var request = MetaRequest(verb, key: raw)
        request.flags = flags(verb, numeric, unique(raw), &random)
        if verb == .store { request.value = value(numeric, &random) }
        if !(numeric && avoidsNumberMarks), random.chance(20) {
            request.key = Base64.encode(raw)
            request.flags.insert(MetaFlag("b"), at: random.below(request.flags.count + 1))
        }
        return request
    }

    /// Where numbers may lose their spaces, what `me` says of one is chance, and so is what `ma` finds in a value that is only
    /// white space: memcached reads on behind it.
    private func share(ofNumbers verb: MetaRequest.Verb) -> Int {
        switch verb {
        case .arithmetic: avoidsNumberMarks ? 100 : 90
        case .debug: avoidsNumberMarks ? 0 : 15
        default: 15
        }
    }

    private func key(numeric: Bool, _ random: inout RandomSource) -> Bytes {
        if numeric { return requests.numberKey(random.below(requests.options.numbers)) }
        return requests.textKey(random.below(requests.options.texts))
    }

    private func flags(
        _ verb: MetaRequest.Verb, _ numeric: Bool, _ unique: UInt64?, _ random: inout RandomSource
    ) -> [MetaFlag] {
        var left = Self.letters[verb] ?? []
        if numeric, avoidsNumberMarks { left.removeAll { !Self.plain.contains($0) || verb != .arithmetic && $0 == "N" } }
        if !knowsNewFlags, random.chance(95) { left.removeAll { $0 == "E" || $0 == "x" } }
        if verb == .debug, random.chance(30) { return [] }
        var flags: [MetaFlag] = []
        for _ in 0..<random.below(8) where !left.isEmpty {
            let letter = random.pick(left)
            left.removeAll { $0 == letter }
            flags.append(MetaFlag(letter, argument(of: letter, verb, numeric, unique, &random)))
        }
        if random.chance(3) { flags.append(wrong(flags, &random)) }
        // 1.6.45 keeps the E of an ms that it refuses for its opaque token, and gives it to the next set.
        if flags.last?.argument == Self.longOpaque { flags.removeAll { $0.letter == UInt8(ascii: "E") } }
        return flags
    }

    private func wrong(_ flags: [MetaFlag], _ random: inout RandomSource) -> MetaFlag {
        random.pick([
            flags.first ?? MetaFlag("z"), MetaFlag("z"), MetaFlag("5"), MetaFlag("o", Bytes("x")), MetaFlag("T", Bytes("x")),
            MetaFlag("O", Self.longOpaque), MetaFlag("M", Bytes("Z")), MetaFlag("["),
        ])
    }

    private func argument(
        of letter: Character, _ verb: MetaRequest.Verb, _ numeric: Bool, _ unique: UInt64?, _ random: inout RandomSource
    ) -> Bytes {
        if "TNRJDFCE".contains(letter), random.chance(2) {
            // 1.6.18 reads the sign: of a time that is far enough, and of a unique as `E` below has them.
            let signed = "CE".contains(letter) ? "+6000000000000" : "+20000"
            return Bytes(random.pick(["", "x", "-", "1x", signed, "99999999999999999999999"]))
        }
        switch letter {
        case "T", "N": return Bytes("\(expiry(&random))")
        // Far from all expiries, so that a second more or less changes nothing.
        case "R": return Bytes(random.pick(["0", "-1", "40", "500", "50000"]))
        case "J": return Bytes(random.pick(["0", "7", "99", "1000000"]))
        case "D": return Bytes(random.pick(["0", "1", "5", "100", "100000"]))
        case "F": return Bytes(random.pick(["0", "1", "77", "4294967295"]))
        case "C":
            let other = random.pick([0, requests.options.unknownUnique])
            return Bytes("\(random.chance(75) ? unique ?? other : other)")
        // Above all that a server, and the model (see beginUniques), give out themselves: any two agree which is older.
        case "E": return Bytes(random.pick(["3000000000005", "4000000000077", "5000000000000", "0"]))
        case "O": return Bytes(random.pick(["", "x", "opaque", String(repeating: "y", count: 31)]))
        case "M" where verb == .store: return Bytes(random.pick(numeric ? ["E", "R", "S"] : ["E", "A", "P", "R", "S"]))
        case "M": return Bytes(random.pick(["I", "+", "D", "-"]))
        default: return []
        }
    }

    private func expiry(_ random: inout RandomSource) -> Int32 {
        let short: Int32 = requests.options.shortExpiries ? Int32(1 + random.below(20)) : requests.options.farExpiries.0
        return random.pick(weighted: [(40, 0), (20, short), (25, requests.options.farExpiries.0), (10, requests.options.farExpiries.1), (5, -1)])
    }

    private func value(_ numeric: Bool, _ random: inout RandomSource) -> Bytes {
        if numeric { return Bytes(random.pick(["0", "7", "99", "12345", "99999999"])) }
        let length = random.pick(weighted: [(10, 0), (70, random.below(60)), (20, random.below(3000))])
        return Bytes("v".utf8.prefix(length)) + (0..<max(0, length - 1)).map { _ in UInt8(random.below(256)) }
    }
}
