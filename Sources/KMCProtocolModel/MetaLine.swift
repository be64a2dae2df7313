// SPDX-License-Identifier: MIT

/// Reads the lines of meta commands, in the order in which memcached looks at them (proto_parser.c).
struct MetaLineParser {
    let dialect: Dialect

    /// - Parameter name: the line's first word, which names a meta command.
    func parse(_ name: String, _ words: Words) -> TextLine? {
        guard let verb = MetaRequest.Verb(rawValue: name) else { return nil }
        switch verb {
        case .noOperation: return .request(Request(.meta(MetaRequest(.noOperation))))
        case .debug: return debug(words)
        case .get, .delete, .arithmetic: return plain(verb, words)
        case .store: return store(words)
        }
    }

    /// What is wrong with the words before any is read.
    private func refusal(of words: Words, least: Int) -> Failure? {
        let list = words.counted
        if list.count < 2 { return dialect.countsWords ? .error : .badFormat }
        if list.count < least { return .badFormat }
        if dialect.countsWords { return nil }
        // Another first byte makes the whole line malformed.
        let isFlag = { (word: ArraySlice<UInt8>) in (65...122).contains(word.first!) || ASCII.isDigit(word.first!) }
        return list.dropFirst(least).allSatisfy(isFlag) ? nil : .badFormat
    }

    private func plain(_ verb: MetaRequest.Verb, _ words: Words) -> TextLine {
        if let refusal = refusal(of: words, least: 2) { return .refused(refusal) }
        let list = words.counted
        let request = MetaRequest(verb, key: Bytes(list[1]), flags: list.dropFirst(2).map { MetaFlag($0) })
        if let refusal = check(request, words: list.count) { return .refused(refusal) }
        return .request(Request(.meta(request)))
    }

    private func store(_ words: Words) -> TextLine {
        if let refusal = refusal(of: words, least: 3) { return .refused(refusal) }
        let list = words.counted
        if dialect.countsWords, let refusal = early(Bytes(list[1]), list.count, .store) { return .refused(refusal) }
        let number = dialect.readsNumbersLikeC ? Numbers.cSigned32(list[2]) : Numbers.signed32(list[2])
        guard let length = number, (0...Limits.announcedLength).contains(length) else { return .refused(.badFormat) }
        let request = MetaRequest(.store, key: Bytes(list[1]), flags: list.dropFirst(3).map { MetaFlag($0) })
        if let refusal = check(request, words: list.count) { return .refused(refusal, swallow: Int(length) + 2) }
        return .announced(.meta(request), length: Int(length), quiet: false)
    }

    private func debug(_ words: Words) -> TextLine {
        let list = words.counted
        if dialect.countsWords, list.count < 2 { return .refused(.badFormat) }
        if let refusal = refusal(of: words, least: 2) { return .refused(refusal) }
        if list[1].count > Limits.keyLength { return .refused(.badFormat) }
        var request = MetaRequest(.debug, key: Bytes(list[1]))
        if list.count > dialect.debugKeyWords, list[2].spells("b") {
            guard Base64.decode(request.key) != nil else { return .refused(.badFormat) }
            request.flags = [MetaFlag("b")]
        }
        return .request(Request(.meta(request)))
    }

    /// What a key or a number of words is refused with.
    private func early(_ key: Bytes, _ words: Int, _ verb: MetaRequest.Verb) -> Failure? {
        if key.count > Limits.keyLength { return .badFormat }
        guard words > dialect.mostMetaWords else { return nil }
        return dialect.countsWords && verb != .get ? .tooManyFlagsBefore : .tooManyFlags
    }

    /// What key and flags are refused with.
    private func check(_ request: MetaRequest, words: Int) -> Failure? {
        let refusesAlike = request.verb == .arithmetic || dialect.countsWords && request.verb == .delete
        if let failure = early(request.key, words, request.verb) {
            return refusesAlike && !dialect.countsWords ? .unknownOrDuplicateFlag : failure
        }
        let options: MetaOptions
        do throws(Failure) {
            options = try MetaOptions(request, dialect)
        } catch {
            return refusesAlike ? .unknownOrDuplicateFlag : error
        }
        switch request.verb {
        case .store where options.storeMode == nil: return .badStoreMode
        case .arithmetic where options.direction == nil: return .badArithmeticMode
        default: break
        }
        return options.hasLongOpaque && dialect.findsLongOpaqueEarly(request.verb) ? .opaqueTooLong : nil
    }
}

extension Dialect {
    /// The most words of a meta command, its name among them (1.6.18 counts the line's end as one).
    var mostMetaWords: Int { countsWords ? 19 : 20 }

    /// E and x, `s` of ms, C of mg, N of append and prepend: none is in 1.6.18.
    var knowsNewFlags: Bool { !countsWords }

    /// As many words as there must be more of before `me` heeds its b.
    var debugKeyWords: Int { debugNeedsMoreWords ? 3 : 2 }

    /// Whether an opaque token that is too long is found before anything is done.
    func findsLongOpaqueEarly(_ verb: MetaRequest.Verb) -> Bool {
        refusesBeforeDoing || verb == .delete || countsWords && verb == .store
    }
}
