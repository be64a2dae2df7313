// SPDX-License-Identifier: MIT

/// The meta commands.
extension ReferenceCache {
    /// Executes a meta command but `ms`; nil for silence.
    mutating func execute(_ request: MetaRequest) -> Reply? {
        guard request.verb != .noOperation else { return .meta(MetaReply(.noOperation)) }
        guard let options = try? MetaOptions(request, dialect) else { return .failure(.badFormat) }
        switch request.verb {
        case .get: return look(request, options)
        case .delete: return delete(request, options)
        case .arithmetic: return count(request, options)
        case .debug: return describe(options)
        case .store: return refuse(request, length: request.value.count).map { .failure($0) } ?? complete(request, announcedAt: clock)
        case .noOperation: return nil
        }
    }

    /// The words O and k of a reply about no item.
    private func echo(_ request: MetaRequest, _ options: MetaOptions) -> [Bytes] {
        request.flags.flatMap { flag -> [Bytes] in
            switch flag.letter {
            case UInt8(ascii: "O"): [flag.word]
            case UInt8(ascii: "k"): keyWords(options.key, isBinary: options.isBinary)
            default: []
            }
        }
    }

    private func keyWords(_ key: Bytes, isBinary: Bool) -> [Bytes] {
        isBinary ? [Bytes("k") + Base64.encode(key), Bytes("b")] : [Bytes("k") + key]
    }

    /// Seconds that are left; a time that has passed wraps, as memcached's does.
    private func remaining(_ expires: Expiry) -> Bytes {
        switch expires {
        case .never: Bytes("t-1")
        case .at(let time): Bytes("t\(UInt32(truncatingIfNeeded: time > clock ? time - clock : -1))")
        }
    }

    private func deadline(_ expiry: Int32?) -> Expiry {
        self.expiry(expiry ?? 0, from: clock)
    }
}

// MARK: - mg

extension MetaRequest {
    /// Whether memcached counts the access when the reply is whole: these flags show or decide by what an access changes.
    fileprivate var isSeenLast: Bool { "NTRlh".contains(where: has) }
}

extension ReferenceCache {
    private mutating func look(_ request: MetaRequest, _ options: MetaOptions) -> Reply? {
        let created = find(options.key) == nil && options.vivify != nil
        if created {
            var item = fresh([], 0, .never)
            item.marks.isBinary = options.isBinary && dialect.keepsBinaryKeys
            link(options.key, item, options.newUnique)
        }
        guard var item = items[options.key] else { return miss(request, options) }
        var words: [Bytes] = []
        var wins = false
        for flag in request.flags {
            if flag.letter == UInt8(ascii: "O"), options.hasLongOpaque {
                items[options.key] = item
                if !options.isUnseen && !request.isSeenLast { access(options.key) }
                return .failure(.opaqueTooLong)
            }
            wins = look(at: &item, flag, options, created: created, &words) || wins
        }
        if item.marks.isWon { words.append(Bytes("Z")) }
        if item.marks.isStale {
            words.append(Bytes("X"))
            wins = wins || !item.marks.isWon
        }
        if wins {
            words.append(Bytes("W"))
            item.marks.isWon = true
        }
        items[options.key] = item
        if !options.isUnseen { access(options.key) }
        countHit(request)
        let isKnown = dialect.knowsNewFlags && options.unique == item.unique
        let showsValue = options.wantsValue && !isKnown
        return .meta(MetaReply(showsValue ? .value : .done, words, value: showsValue ? item.value : nil))
    }

    /// What a flag does and shows; whether it wins.
    private func look(
        at item: inout Item, _ flag: MetaFlag, _ options: MetaOptions, created: Bool, _ words: inout [Bytes]
    ) -> Bool {
        switch Character(Unicode.Scalar(flag.letter)) {
        case "T": item.expires = deadline(options.expiry)
        case "N" where created:
            item.expires = deadline(options.vivify)
            return true
        case "R":
            guard !item.marks.isWon, !created, case .at(let time) = item.expires else { return false }
            guard case .at(let limit) = deadline(options.recache) else { return false }
            return time < limit
        case "s": words.append(Bytes("s\(item.value.count)"))
        case "t": words.append(remaining(item.expires))
        case "c": words.append(Bytes("c\(item.unique)"))
        case "f": words.append(Bytes("f\(item.flags)"))
        case "l": words.append(Bytes("l\(clock - item.seen.last)"))
        case "h": words.append(Bytes(item.seen.isFetched ? "h1" : "h0"))
        case "O": words.append(flag.word)
        case "k": words += keyWords(options.key, isBinary: item.marks.isBinary)
        default: break
        }
        return false
    }

    private mutating func countHit(_ request: MetaRequest) {
        if request.has("T") {
            counters.touchCommands += 1
            counters.touchHits += 1
        } else {
            counters.getCommands += 1
            counters.getHits += 1
        }
    }

    private mutating func miss(_ request: MetaRequest, _ options: MetaOptions) -> Reply? {
        counters.getCommands += 1
        counters.getMisses += 1
        if options.hasLongOpaque { return .failure(.opaqueTooLong) }
        return options.isQuiet ? nil : .meta(MetaReply(.miss, echo(request, options)))
    }
}

// MARK: - ms

extension ReferenceCache {
    /// As ``refuse(_:length:)`` for other storage commands, but what is too large takes the old value with it in any mode.
    mutating func refuse(_ request: MetaRequest, length: Int) -> Failure? {
        guard let options = try? MetaOptions(request, dialect) else { return .badFormat }
        guard size(key: options.key, flags: options.clientFlags, length: length) <= limits.itemSize else {
            counters.tooLarge += 1
            items[options.key] = nil
            return .tooLarge
        }
        counters.setCommands += 1
        return options.hasLongOpaque ? .opaqueTooLong : nil
    }

    mutating func complete(_ request: MetaRequest, announcedAt arrival: Int64) -> Reply? {
        guard let options = try? MetaOptions(request, dialect), let mode = options.storeMode else { return .failure(.badFormat) }
        let given = options.newUnique == 0 ? nil : options.newUnique
        let unique = given ?? (dialect.uniqueRule == .perAttempt ? takeUnique() : nil)
        let expires = expiry((options.vivifiesJoin ? options.vivify : options.expiry) ?? 0, from: arrival)
        var item = fresh(request.value, options.clientFlags, expires)
        item.marks.isBinary = options.isBinary
        let code = store(item, mode, options, unique)
        if code == .done, options.isQuiet { return nil }
        let stored = code == .done ? items[options.key] : nil
        let isJoined = mode == .append || mode == .prepend
        let size = isJoined ? stored?.value.count ?? request.value.count : request.value.count
        let words = request.flags.flatMap { flag -> [Bytes] in
            switch Character(Unicode.Scalar(flag.letter)) {
            case "O": [flag.word]
            case "k": keyWords(options.key, isBinary: options.isBinary)
            case "c": [Bytes("c\(stored?.unique ?? 0)")]
            case "s" where dialect.knowsNewFlags: [Bytes("s\(size)")]
            default: []
            }
        }
        return .meta(MetaReply(code, words))
    }

    private mutating func store(_ item: Item, _ mode: StoreMode, _ options: MetaOptions, _ unique: UInt64?) -> MetaReply.Code {
        let key = options.key
        guard let held = find(key) else {
            if mode == .cas {
                counters.casMisses += 1
                return .notFound
            }
            guard mode == .set || mode == .add || options.vivifiesJoin else { return .notStored }
            link(key, item, unique)
            return .done
        }
        switch mode {
        case .add:
            items[key]?.seen.last = clock
            return .notStored
        case .set, .replace: link(key, item, unique)
        case .cas: return swap(item, held, options, unique)
        case .append, .prepend:
            let asked = limits.uniques ? options.unique ?? 0 : 0
            guard asked == 0 || asked == held.unique else { return .exists }
            let value = mode == .append ? held.value + item.value : item.value + held.value
            return join(key, held, value, unique) == .stored ? .done : .notStored
        }
        return .done
    }

    /// With I, a unique that is lower than the item's stores a value that is stale from the beginning.
    private mutating func swap(_ item: Item, _ held: Item, _ options: MetaOptions, _ unique: UInt64?) -> MetaReply.Code {
        let asked = limits.uniques ? options.unique ?? 0 : 0
        guard asked != 0, asked == held.unique || options.invalidates && asked < held.unique else {
            counters.casBadValues += 1
            return .exists
        }
        counters.casHits += 1
        var stored = item
        if asked != held.unique {
            stored.expires = held.expires
            stored.marks.isStale = true
            stored.marks.isWon = held.marks.isWon
        }
        link(options.key, stored, unique)
        return .done
    }
}

// MARK: - md

extension ReferenceCache {
    private mutating func delete(_ request: MetaRequest, _ options: MetaOptions) -> Reply? {
        let code = delete(options)
        return code == .done && options.isQuiet ? nil : .meta(MetaReply(code, echo(request, options)))
    }

    private mutating func delete(_ options: MetaOptions) -> MetaReply.Code {
        guard var held = find(options.key) else {
            counters.deleteMisses += 1
            return .notFound
        }
        if let unique = options.unique, unique != held.unique {
            counters.deleteMisses += 1
            return .exists
        }
        if options.removesValue {
            var tomb = fresh([], options.clientFlags, deadline(options.expiry))
            tomb.marks.isBinary = held.marks.isBinary && dialect.keepsBinaryKeys
            held = link(options.key, tomb, options.newUnique ?? held.unique)
        }
        guard options.invalidates else {
            counters.deleteHits += 1
            if !options.removesValue { items[options.key] = nil }
            return .done
        }
        if options.expiry != nil { held.expires = deadline(options.expiry) }
        held.marks.isStale = true
        held.marks.isWon = false
        held.unique = given(options.newUnique)
        items[options.key] = held
        return .done
    }
}

// MARK: - ma and me

extension ReferenceCache {
    private mutating func count(_ request: MetaRequest, _ options: MetaOptions) -> Reply? {
        let direction = options.direction ?? .incr
        guard var item = find(options.key) else {
            if options.vivify != nil { return begin(request, options) }
            if direction == .incr { counters.incrementMisses += 1 } else { counters.decrementMisses += 1 }
            return options.hasLongOpaque ? .failure(.opaqueTooLong) : .meta(MetaReply(.notFound, echo(request, options)))
        }
        let size = size(key: options.key, flags: item.flags, length: item.value.count)
        guard size <= limits.chunkSize, !item.value.isEmpty else { return .failure(.notNumeric) }
        if let unique = options.unique, unique != 0, unique != item.unique {
            return options.hasLongOpaque ? .failure(.opaqueTooLong) : .meta(MetaReply(.exists, echo(request, options)))
        }
        guard let number = number(in: item, under: options.key) else { return .failure(.notNumeric) }
        if direction == .incr { counters.incrementHits += 1 } else { counters.decrementHits += 1 }
        let result = Self.apply(Arithmetic(direction, key: options.key, delta: options.delta), to: number)
        let grows = Bytes("\(result)").count > item.value.count
        write(result, to: &item, under: options.key)
        item.unique = given(dialect.changesGrownNumbers ? options.newUnique : nil)
        var shown = item
        if let unique = options.newUnique { shown.unique = given(unique) }
        return answer(request, options, result, &shown, created: false) { cache, changed in
            cache.items[options.key] = grows && !cache.dialect.changesGrownNumbers ? item : changed
        }
    }

    private mutating func begin(_ request: MetaRequest, _ options: MetaOptions) -> Reply? {
        var item = fresh(Bytes("\(options.initial)"), 0, .never)
        item.marks.isBinary = options.isBinary && dialect.keepsBinaryKeys
        var shown = link(options.key, item, options.newUnique)
        return answer(request, options, options.initial, &shown, created: true) { $0.items[options.key] = $1 }
    }

    /// - Parameter keep: is given the item as the flags leave it, also if the reply is refused.
    private mutating func answer(
        _ request: MetaRequest, _ options: MetaOptions, _ number: UInt64, _ item: inout Item, created: Bool,
        keep: (inout ReferenceCache, Item) -> Void
    ) -> Reply? {
        var words: [Bytes] = []
        defer { keep(&self, item) }
        for flag in request.flags {
            switch Character(Unicode.Scalar(flag.letter)) {
            case "c": words.append(Bytes("c\(item.unique)"))
            case "t": words.append(remaining(item.expires))
            case "T": item.expires = deadline(options.expiry)
            case "N" where created: item.expires = deadline(options.vivify)
            case "O" where options.hasLongOpaque: return .failure(.opaqueTooLong)
            case "O": words.append(flag.word)
            case "k": words += keyWords(options.key, isBinary: options.isBinary)
            default: break
            }
        }
        if options.isQuiet, !created || dialect.knowsNewFlags { return nil }
        return .meta(MetaReply(options.wantsValue ? .value : .done, words, value: options.wantsValue ? Bytes("\(number)") : nil))
    }

    /// The slab class isn't known here: `cls` is 0.
    private mutating func describe(_ options: MetaOptions) -> Reply {
        guard let item = find(options.key) else { return .meta(MetaReply(.miss)) }
        let left: Int64 = if case .at(let time) = item.expires { dialect.countsWords ? clock - time : time - clock } else { -1 }
        let key = item.marks.isBinary ? Base64.encode(options.key) : options.key
        let size = size(key: options.key, flags: item.flags, length: item.value.count)
        // memcached cuts the seconds to 32 bits with a sign.
        let shown = dialect.knowsLastAccess ? left : Int64(Int32(truncatingIfNeeded: left))
        let fields = [
            "exp=\(shown)", "la=\(clock - item.seen.last)", "cas=\(item.unique)", "fetch=\(item.seen.isFetched ? "yes" : "no")",
            "cls=0", "size=\(size)",
        ]
        return .meta(MetaReply(.debug, [key] + fields.map { Bytes($0) }))
    }
}
