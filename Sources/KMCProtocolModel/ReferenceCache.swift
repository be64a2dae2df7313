// SPDX-License-Identifier: MIT

/// The cache that knows the right answer: memcached's semantics without its memory.
///
/// It never evicts, and its clock stands still until it is set, so that an answer depends on nothing but the commands.
/// Where memcached 1.6.45 answers by accident of timing, the cache gives the answer of a client that waits for each
/// reply: an incremented or decremented number keeps its length, and `flush_all` reaches every item.
public struct ReferenceCache {
    public struct Limits: Equatable, Sendable {
        /// `-I`, in bytes: the largest item with its header, key, flags and line end.
        public var itemSize: Int
        /// `-o slab_chunk_max`, in bytes: an item above it is chunked, and then can't be a number.
        public var chunkSize: Int

        /// Off by `-C`: every CAS unique is 0, and items are smaller by one.
        public var uniques: Bool

        public init(itemSize: Int = 1 << 20, chunkSize: Int = 512 << 10, uniques: Bool = true) {
            self.itemSize = itemSize
            self.chunkSize = chunkSize
            self.uniques = uniques
        }
    }

    /// Seconds since 1970. Time goes by the second, as memcached's does.
    public var clock: Int64 = 1_700_000_000
    /// When the server began.
    public var began: Int64 = 1_700_000_000
    public internal(set) var counters = Counters()
    /// Keys whose numbers have at some time been given trailing spaces; see ``Dialect/mayTrimNumbers``.
    public private(set) var padded: Set<Bytes> = []
    public let limits: Limits
    let dialect: Dialect
    var items: [Bytes: Item] = [:]
    private var nextUnique: UInt64
    /// When a delayed `flush_all` comes into force.
    private var flushDue: Int64?

    struct Item {
        var value: Bytes
        var flags: UInt32
        var expires: Expiry
        var unique: UInt64 = 0
        var stored: Int64
        var seen: Seen
        var marks = Marks()
    }

    /// Who has looked at an item.
    struct Seen {
        var last: Int64
        var isFetched = false
    }

    /// What meta commands have left at an item.
    struct Marks {
        /// Marked for renewal by `I`.
        var isStale = false
        /// Somebody has been told to renew it.
        var isWon = false
        /// Its key came in base64.
        var isBinary = false
    }

    enum Expiry: Equatable {
        case never, at(Int64)

        func passed(_ now: Int64) -> Bool {
            if case .at(let time) = self { return time <= now }
            return false
        }
    }

    public init(limits: Limits = Limits(), dialect: Dialect = .v1_6_45) {
        self.limits = limits
        self.dialect = dialect
        nextUnique = dialect.firstUnique
    }

    /// Number items from here on. On a server that has been in use a small number that a client makes up is no item's.
    package mutating func beginUniques(at first: UInt64) {
        nextUnique = max(nextUnique, first)
    }

    /// The unique of what a key holds.
    package func unique(of key: Bytes) -> UInt64? {
        items[key]?.unique
    }

    /// How many items are held, including those that have expired and nobody has asked for since.
    public var count: Int { items.count }

    /// Forgets an item, as a server does that was short of memory.
    public mutating func evict(_ key: Bytes) {
        items[key] = nil
    }

    public mutating func resetCounters() {
        counters = Counters()
    }
}

// MARK: - Commands

extension ReferenceCache {
    /// Executes a command; nil for those that aren't the cache's (version, verbosity, quit, shutdown, stats).
    public mutating func execute(_ command: Command) -> Reply? {
        switch command {
        case .get(let keys, let unique): return .values(keys.compactMap { lookUp($0, unique) })
        case .getAndTouch(let expiry, let keys, let unique):
            return .values(keys.compactMap { lookUp($0, unique, touching: expiry) })
        case .store(let store): return refuse(store, length: store.value.count).map { .failure($0) } ?? complete(store)
        case .delete(let key): return delete(key)
        case .arithmetic(let arithmetic): return execute(arithmetic)
        case .touch(let key, let expiry):
            counters.touchCommands += 1
            let touched = touch(key, expiry)
            return touched ? .touched : .notFound
        case .flushAll(let delay):
            flush(delay)
            return .ok
        case .meta(let request): return execute(request)
        case .version, .verbosity, .quit, .shutdown, .stats: return nil
        }
    }

    /// ``refuse(_:length:)`` for `ms` as well.
    mutating func refuse(_ command: Command, length: Int) -> Failure? {
        switch command {
        case .store(let store): refuse(store, length: length)
        case .meta(let request): refuse(request, length: length)
        default: nil
        }
    }

    /// ``complete(_:announcedAt:)`` for `ms` as well; nil for silence.
    mutating func complete(_ command: Command, announcedAt arrival: Int64?) -> Reply? {
        switch command {
        case .store(let store): complete(store, announcedAt: arrival)
        case .meta(let request): complete(request, announcedAt: arrival ?? clock)
        default: nil
        }
    }

    /// Whether a storage command is refused when its line has been read, before its data has.
    ///
    /// An item that is too large for `set` also removes what the key held, lest stale data stay (protocol.txt has it
    /// under "Storage commands" of 1.4.14 and later).
    public mutating func refuse(_ store: Store, length: Int) -> Failure? {
        guard size(key: store.key, flags: store.flags, length: length) <= limits.itemSize else {
            counters.tooLarge += 1
            if store.mode == .set { items[store.key] = nil }
            return .tooLarge
        }
        counters.setCommands += 1
        return nil
    }

    /// Stores the data of a command that ``refuse(_:length:)`` has let pass.
    ///
    /// - Parameter arrival: when the line was read; the expiry counts from there.
    public mutating func complete(_ store: Store, announcedAt arrival: Int64? = nil) -> Reply {
        let unique = dialect.uniqueRule == .perAttempt ? takeUnique() : nil
        let expires = expiry(store.expiry, from: arrival ?? clock)
        let fresh = fresh(store.value, store.flags, expires)
        guard let held = find(store.key) else {
            if store.mode == .cas {
                counters.casMisses += 1
                return .notFound
            }
            guard store.mode == .set || store.mode == .add else { return .notStored }
            link(store.key, fresh, unique)
            return .stored
        }
        switch store.mode {
        case .set, .replace: link(store.key, fresh, unique)
        case .add:
            items[store.key]?.seen.last = clock
            return .notStored
        case .cas: return compareAndSwap(store, held, fresh, unique)
        case .append: return join(store.key, held, held.value + store.value, unique)
        case .prepend: return join(store.key, held, store.value + held.value, unique)
        }
        return .stored
    }

    private mutating func compareAndSwap(_ store: Store, _ held: Item, _ fresh: Item, _ unique: UInt64?) -> Reply {
        guard limits.uniques, store.unique != 0, store.unique == held.unique else {
            counters.casBadValues += 1
            return .exists
        }
        counters.casHits += 1
        link(store.key, fresh, unique)
        return .stored
    }

    mutating func join(_ key: Bytes, _ held: Item, _ value: Bytes, _ unique: UInt64?) -> Reply {
        guard size(key: key, flags: held.flags, length: value.count) <= limits.itemSize else { return .notStored }
        var joined = fresh(value, held.flags, held.expires)
        joined.marks.isBinary = held.marks.isBinary && dialect.keepsBinaryKeys
        link(key, joined, unique)
        return .stored
    }

    /// An item as it is before it is stored.
    func fresh(_ value: Bytes, _ flags: UInt32, _ expires: Expiry) -> Item {
        Item(value: value, flags: flags, expires: expires, stored: clock, seen: Seen(last: clock))
    }

    /// - Parameter unique: the item's; the next one if nil.
    @discardableResult
    mutating func link(_ key: Bytes, _ item: Item, _ unique: UInt64?) -> Item {
        var linked = item
        linked.unique = given(unique)
        items[key] = linked
        counters.totalItems += 1
        return linked
    }

    private mutating func lookUp(_ key: Bytes, _ unique: Bool, touching expiry: Int32? = nil) -> Value? {
        let item = find(key)
        access(key)
        if let expiry {
            counters.touchCommands += 1
            touch(key, expiry)
        } else {
            counters.getCommands += 1
            if item == nil { counters.getMisses += 1 } else { counters.getHits += 1 }
        }
        return item.map { Value(key: key, flags: $0.flags, data: $0.value, unique: unique ? $0.unique : nil) }
    }

    /// Notes that somebody has read an item.
    mutating func access(_ key: Bytes) {
        items[key]?.seen = Seen(last: clock, isFetched: true)
    }

    @discardableResult
    private mutating func touch(_ key: Bytes, _ expiry: Int32) -> Bool {
        guard find(key) != nil else {
            counters.touchMisses += 1
            return false
        }
        counters.touchHits += 1
        access(key)
        let expires = self.expiry(expiry, from: clock)
        items[key]?.expires = expires
        return true
    }

    private mutating func delete(_ key: Bytes) -> Reply {
        guard find(key) != nil else {
            counters.deleteMisses += 1
            return .notFound
        }
        counters.deleteHits += 1
        items[key] = nil
        return .deleted
    }
}

// MARK: - Arithmetic

extension ReferenceCache {
    private mutating func execute(_ arithmetic: Arithmetic) -> Reply {
        let up = arithmetic.direction == .incr
        guard var item = find(arithmetic.key) else {
            if up { counters.incrementMisses += 1 } else { counters.decrementMisses += 1 }
            return .notFound
        }
        guard let number = number(in: item, under: arithmetic.key) else { return .failure(.notNumeric) }
        if up { counters.incrementHits += 1 } else { counters.decrementHits += 1 }
        let result = Self.apply(arithmetic, to: number)
        write(result, to: &item, under: arithmetic.key)
        item.unique = takeUnique()
        items[arithmetic.key] = item
        return .number(result)
    }

    /// The number that an item holds; one that is chunked holds none.
    func number(in item: Item, under key: Bytes) -> UInt64? {
        let size = size(key: key, flags: item.flags, length: item.value.count)
        return size <= limits.chunkSize ? Numbers.c64(item.value[...]) : nil
    }

    /// Over the old number where there is room, else into a new item.
    mutating func write(_ number: UInt64, to item: inout Item, under key: Bytes) {
        let digits = Bytes("\(number)")
        item.seen.last = clock
        if digits.count > item.value.count {
            counters.totalItems += 1
            let isBinary = item.marks.isBinary && dialect.keepsBinaryKeys
            item = fresh(digits, item.flags, item.expires)
            item.marks.isBinary = isBinary
            return
        }
        let padding = Bytes(repeating: ASCII.space, count: item.value.count - digits.count)
        if !padding.isEmpty { padded.insert(key) }
        item.value = digits + padding
    }

    /// `incr` wraps at 64 bits, `decr` stops at zero (protocol.txt, "Increment/Decrement").
    static func apply(_ arithmetic: Arithmetic, to number: UInt64) -> UInt64 {
        switch arithmetic.direction {
        case .incr: number &+ arithmetic.delta
        case .decr: number > arithmetic.delta ? number - arithmetic.delta : 0
        }
    }
}

// MARK: - Time and size

extension ReferenceCache {
    /// The item under a key, unless it has expired or been flushed, in which case it is removed.
    mutating func find(_ key: Bytes) -> Item? {
        guard let item = items[key] else { return nil }
        let flushed = flushDue.map { item.stored <= $0 && $0 <= clock } ?? false
        if !flushed, !item.expires.passed(clock) { return item }
        items[key] = nil
        return nil
    }

    /// There is one flush at a time: a new one takes the place of one that isn't due. A time that has passed is now, but
    /// for one before the server began, when nothing was stored.
    mutating func flush(_ delay: Int32) {
        counters.flushCommands += 1
        applyDueFlush()
        flushDue = nil
        guard delay > 0, case .at(let due) = expiry(delay, from: clock) else { return items.removeAll() }
        if due > clock { flushDue = due - 1 } else if due > began { items.removeAll() }
    }

    private mutating func applyDueFlush() {
        guard let due = flushDue, due <= clock else { return }
        items = items.filter { $0.value.stored > due }
    }

    func expiry(_ expiry: Int32, from now: Int64) -> Expiry {
        if expiry == 0 { return .never }
        if expiry < 0 { return .at(now) }
        return .at(expiry > KMCProtocolModel.Limits.longestRelativeExpiry ? Int64(expiry) : now + Int64(expiry))
    }

    mutating func takeUnique() -> UInt64 {
        guard limits.uniques else { return 0 }
        defer { nextUnique += 1 }
        return nextUnique
    }

    /// The unique that a client gives, or the next one.
    mutating func given(_ unique: UInt64?) -> UInt64 {
        limits.uniques ? unique ?? takeUnique() : 0
    }

    func size(key: Bytes, flags: UInt32, length: Int) -> Int {
        Self.size(key: key, flags: flags, length: length) - (limits.uniques ? 0 : 8)
    }

    /// What memcached counts against `-I`: its 48-byte header, the CAS unique, key and terminator, flags if there are
    /// any, value and line end (items.c, item_make_header).
    public static func size(key: Bytes, flags: UInt32, length: Int) -> Int {
        48 + 8 + key.count + 1 + (flags == 0 ? 0 : 4) + length + 2
    }
}
