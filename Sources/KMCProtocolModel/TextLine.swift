// SPDX-License-Identifier: MIT

/// What one command line of the text protocol means.
enum TextLine: Equatable {
    /// A command that is complete with its line.
    case request(Request)
    /// A storage command, `ms` among them, whose data, of `length` bytes and a line end, follows.
    case announced(Command, length: Int, quiet: Bool)
    /// A retrieval command with a key too long: what stands before it is looked up, and then refused.
    case partial(Request, Failure)
    /// An answer without a deed; `swallow` bytes of data that follow are thrown away.
    case refused(Failure, quiet: Bool = false, swallow: Int = 0)
    /// A `flush_all` with a delay that is none: it counts, and `-F` is looked at first.
    case badFlush(quiet: Bool)
    /// The connection ends without an answer.
    case close
}

/// Reads command lines as memcached's parser does (proto_parser.c, before 1.6.40 proto_text.c).
struct TextLineParser {
    let dialect: Dialect

    /// The meaning of a line.
    ///
    /// - Parameter raw: the line without its line feed, but with a carriage return if there is one.
    func parse(_ raw: ArraySlice<UInt8>) -> TextLine {
        var line = raw
        if dialect.endsLineAtZero {
            if line.count > 1, line.last == ASCII.carriageReturn { line.removeLast() }
            line = line.prefix { $0 != ASCII.nul }
        } else {
            if line.count + 1 < 4 { return .refused(.badFormat) }
            if line.last == ASCII.carriageReturn { line.removeLast() }
        }
        let words = Words(line, limit: Limits.words)
        guard let first = words.all.first, first.count >= 2 else { return unknown(words) }
        let command = String(decoding: first, as: UTF8.self)
        if line.first == ASCII.space, !dialect.skipsLeadingSpaces, !Self.rare.contains(command) { return unknown(words) }
        return parse(command, words)
    }

    /// 1.6.45 looks these up by word after its parser has given up, so that spaces before them do no harm.
    private static let rare: Set<String> = ["flush_all", "verbosity", "shutdown"]

    private func parse(_ command: String, _ words: Words) -> TextLine {
        switch command {
        case "get", "gets": return retrieval(words, unique: command == "gets")
        case "bget" where dialect.knowsBget: return retrieval(words, unique: false)
        case "gat", "gats": return retrievalWithTouch(words, unique: command == "gats")
        case "set", "add", "replace", "append", "prepend", "cas":
            return storage(StoreMode(rawValue: command)!, words)
        case "delete": return deletion(words)
        case "incr", "decr": return arithmetic(Arithmetic.Direction(rawValue: command)!, words)
        case "touch": return touch(words)
        case "flush_all": return flush(words)
        case "verbosity": return verbosity(words)
        case "version": return .request(Request(.version))
        case "quit": return .request(Request(.quit))
        case "shutdown": return shutdown(words)
        case "stats": return .request(Request(.stats(words.counted.dropFirst().map(Bytes.init))))
        default: return MetaLineParser(dialect: dialect).parse(command, words) ?? unknown(words)
        }
    }

    private func unknown(_ words: Words) -> TextLine {
        let last = words.counted.last
        let lone = words.counted.count == 1
        if last?.starts(with: "HTTP/") == true, !lone || dialect.closesOnLoneHTTP { return .close }
        return .refused(.error, quiet: dialect.quietsUnknown && words.endInNoReply)
    }

    /// The refusal of a line whose number of words is out of `range`, if it is.
    ///
    /// 1.6.45 only misses words, 1.6.18 also counts those that it doesn't know.
    private func refusal(of words: Words, _ range: ClosedRange<Int>) -> TextLine? {
        let count = words.counted.count
        if dialect.countsWords { return range.contains(count) ? nil : .refused(.error) }
        return count < range.lowerBound ? .refused(.badFormat) : nil
    }
}

// MARK: - Families of commands

extension TextLineParser {
    private func retrieval(_ words: Words, unique: Bool) -> TextLine {
        if words.all.count < 2 { return .refused(dialect.countsWords ? .error : .badFormat) }
        return lookup(words.all.dropFirst()) { .get(keys: $0, unique: unique) }
    }

    private func retrievalWithTouch(_ words: Words, unique: Bool) -> TextLine {
        let fewest = dialect.countsWords ? 2 : 3
        if words.all.count < fewest { return .refused(dialect.countsWords ? .error : .badFormat) }
        guard let expiry = signed(words.all[1]) else { return .refused(.badExpiry) }
        return lookup(words.all.dropFirst(2)) { .getAndTouch(expiry: expiry, keys: $0, unique: unique) }
    }

    private func lookup(_ words: ArraySlice<ArraySlice<UInt8>>, _ command: ([Bytes]) -> Command) -> TextLine {
        let good = words.prefix { $0.count <= Limits.keyLength }.map(Bytes.init)
        let request = Request(command(good))
        return good.count == words.count ? .request(request) : .partial(request, .badFormat)
    }

    private func storage(_ mode: StoreMode, _ words: Words) -> TextLine {
        let fewest = dialect.countsWords && mode == .cas ? 6 : 5
        if let refusal = refusal(of: words, fewest...fewest + 1) { return refusal }
        let quiet = words.endInNoReply
        let list = words.counted
        if dialect.countsWords { return storageCountingWords(mode, words, quiet) }

        guard let length = Numbers.signed32(list[4]), (0...Limits.announcedLength).contains(length) else {
            return .refused(.badFormat)
        }
        let refused = TextLine.refused(.badFormat, quiet: quiet, swallow: Int(length) + 2)
        guard list[1].count <= Limits.keyLength,
            let flags = Numbers.c32(words.rest(from: 2)), let expiry = Numbers.cSigned32(words.rest(from: 3))
        else { return refused }
        var unique: UInt64 = 0
        if mode == .cas {
            guard list.count > 5, let number = Numbers.unsigned(list[5]) else { return refused }
            unique = number
        }
        let store = Store(mode, key: Bytes(list[1]), value: [], flags: flags, expiry: expiry, unique: unique)
        return .announced(.store(store), length: Int(length), quiet: quiet)
    }

    /// 1.6.18: every number by strtol and its like, and no data thrown away for a refused line.
    private func storageCountingWords(_ mode: StoreMode, _ words: Words, _ quiet: Bool) -> TextLine {
        let list = words.counted
        let refused = TextLine.refused(.badFormat, quiet: quiet)
        guard list[1].count <= Limits.keyLength,
            let flags = Numbers.c32(list[2]), let expiry = Numbers.cSigned32(list[3]),
            let length = Numbers.cSigned32(list[4]), (0...Limits.announcedLength).contains(length)
        else { return refused }
        var unique: UInt64 = 0
        if mode == .cas {
            guard let number = Numbers.c64(list[5]) else { return refused }
            unique = number
        }
        let store = Store(mode, key: Bytes(list[1]), value: [], flags: flags, expiry: expiry, unique: unique)
        return .announced(.store(store), length: Int(length), quiet: quiet)
    }

    private func deletion(_ words: Words) -> TextLine {
        if let refusal = refusal(of: words, 2...4) { return refusal }
        let list = words.counted
        let quiet = words.endInNoReply && (dialect.deleteArguments != .checked || list.count > 2)
        let known: Bool
        switch dialect.deleteArguments {
        case .ignored: known = true
        case .atMostTwo: known = list.count <= 4
        case .checked:
            let zero = list.count > 2 && list[2].spells("0")
            known = list.count == 2 || list.count == 3 && (zero || quiet) || list.count == 4 && zero && quiet
        }
        if !known { return .refused(.deleteUsage, quiet: quiet) }
        return keyed(list[1], quiet) { .delete(key: $0) }
    }

    private func arithmetic(_ direction: Arithmetic.Direction, _ words: Words) -> TextLine {
        if let refusal = refusal(of: words, 3...4) { return refusal }
        let list = words.counted
        let quiet = words.endInNoReply
        if list[1].count > Limits.keyLength { return .refused(.badFormat, quiet: quiet) }
        let number = dialect.readsNumbersLikeC ? Numbers.c64(list[2]) : Numbers.unsigned(list[2])
        guard let delta = number else { return .refused(.badDelta, quiet: quiet) }
        return .request(Request(.arithmetic(Arithmetic(direction, key: Bytes(list[1]), delta: delta)), quiet: quiet))
    }

    private func touch(_ words: Words) -> TextLine {
        if let refusal = refusal(of: words, 3...4) { return refusal }
        let list = words.counted
        let quiet = words.endInNoReply
        if list[1].count > Limits.keyLength { return .refused(.badFormat, quiet: quiet) }
        guard let expiry = signed(list[2]) else { return .refused(.badExpiry, quiet: quiet) }
        return .request(Request(.touch(key: Bytes(list[1]), expiry: expiry), quiet: quiet))
    }

    private func flush(_ words: Words) -> TextLine {
        if let refusal = refusal(of: words, 1...3) { return refusal }
        let list = words.counted
        let quiet = words.endInNoReply
        if list.count == (quiet ? 2 : 1) { return .request(Request(.flushAll(delay: 0), quiet: quiet)) }
        guard let delay = signed(list[1]) else { return .badFlush(quiet: quiet) }
        return .request(Request(.flushAll(delay: delay), quiet: quiet))
    }

    private func verbosity(_ words: Words) -> TextLine {
        if dialect.countsWords, let refusal = refusal(of: words, 2...3) { return refusal }
        let list = words.counted
        let quiet = words.endInNoReply
        guard list.count > 1 else { return .refused(.badFormat, quiet: quiet) }
        let number = dialect.readsNumbersLikeC ? Numbers.c32(list[1]) : Numbers.unsigned32(list[1])
        guard let level = number else { return .refused(.badFormat, quiet: quiet) }
        return .request(Request(.verbosity(level), quiet: quiet))
    }

    private func shutdown(_ words: Words) -> TextLine {
        let list = words.counted
        let quiet = dialect.quietsUnknown && words.endInNoReply
        if list.count == 1 { return .request(Request(.shutdown(.now), quiet: quiet)) }
        let graceful = dialect.countsWords ? list[1].spells("graceful") : Bytes("graceful").starts(with: list[1])
        if list.count == 2, graceful { return .request(Request(.shutdown(.graceful), quiet: quiet)) }
        return .request(Request(.shutdown(.unknown), quiet: quiet))
    }

    private func keyed(_ key: ArraySlice<UInt8>, _ quiet: Bool, _ command: (Bytes) -> Command) -> TextLine {
        if key.count > Limits.keyLength { return .refused(.badFormat, quiet: quiet) }
        return .request(Request(command(Bytes(key)), quiet: quiet))
    }

    private func signed(_ word: ArraySlice<UInt8>) -> Int32? {
        dialect.readsNumbersLikeC ? Numbers.cSigned32(word) : Numbers.signed32(word)
    }
}

/// A line cut at its spaces; no other byte separates.
struct Words {
    private let line: ArraySlice<UInt8>
    let all: [ArraySlice<UInt8>]
    /// The words that commands other than retrievals look at.
    let counted: ArraySlice<ArraySlice<UInt8>>

    init(_ line: ArraySlice<UInt8>, limit: Int) {
        self.line = line
        all = line.split(separator: ASCII.space)
        counted = all.prefix(limit)
    }

    var endInNoReply: Bool {
        counted.last?.spells("noreply") == true
    }

    /// The line from a word on: 1.6.45 reads flags and expiry without knowing where their word ends.
    func rest(from index: Int) -> ArraySlice<UInt8> {
        line[counted[index].startIndex...]
    }
}
