// SPDX-License-Identifier: MIT

/// Random commands over a small set of keys, so that reads hit and writes meet what is there.
///
/// Keys are `prefix` and `t0`, `t1`, … for texts, `prefix` and `n0`, `n1`, … for numbers. Texts never begin with a
/// digit; numbers are only changed in ways that keep their meaning certain.
public struct RandomRequests: Sendable {
    public struct Options: Sendable {
        /// Distinct text keys.
        public var texts = 24
        /// Distinct number keys.
        public var numbers = 8
        /// The longest value; most are far shorter.
        public var longestValue = 4096
        /// `flush_all` without a delay, which reaches every item of the server.
        public var flushes = false
        /// Expiries that come true while the sequence runs; only with a clock that is set.
        public var shortExpiries = false
        /// The expiries beside those: seconds in which the sequence is certainly over, the second far from the first.
        public var farExpiries: (Int32, Int32) = (100, 1000)
        /// Percentage of commands with `noreply`.
        public var quietPercent = 8
        /// Numbers and sums of 2^63 and more.
        public var hugeNumbers = true
        /// Unique that no server hands out.
        public var unknownUnique: UInt64 = .max - 1

        public init() {}
    }

    public let prefix: Bytes
    public let options: Options

    public init(prefix: Bytes, options: Options = Options()) {
        self.prefix = prefix
        self.options = options
    }

    private enum Kind {
        case get, gat, set, add, replace, append, prepend, cas, delete, arithmetic, touch, flush, version, verbosity
    }

    private static let weights: [(weight: Int, value: Kind)] = [
        (34, .get), (6, .gat), (18, .set), (5, .add), (4, .replace), (4, .append), (4, .prepend), (6, .cas),
        (4, .delete), (9, .arithmetic), (4, .touch), (1, .flush), (1, .version), (1, .verbosity),
    ]

    /// The next command.
    ///
    /// - Parameter unique: gives the unique that a `cas` for a key compares with.
    public func next(_ random: inout RandomSource, unique: (Bytes) -> UInt64?) -> Request {
        let quiet = random.chance(options.quietPercent)
        let numeric = options.numbers > 0 && random.chance(25)
        let key = key(numeric: numeric, &random)
        switch random.pick(weighted: Self.weights) {
        case .get: return Request(.get(keys: keys(&random), unique: random.chance(40)))
        case .gat:
            let expiry = expiry(&random)
            return Request(.getAndTouch(expiry: expiry, keys: keys(&random), unique: random.chance(40)))
        case .set: return store(.set, key, numeric, quiet, &random)
        case .add: return store(.add, key, numeric, quiet, &random)
        case .replace: return store(.replace, key, numeric, quiet, &random)
        case .append: return store(.append, self.key(numeric: false, &random), false, quiet, &random)
        case .prepend: return store(.prepend, self.key(numeric: false, &random), false, quiet, &random)
        case .cas:
            var request = store(.cas, key, numeric, quiet, &random)
            if case .store(var store) = request.command {
                let known = random.chance(80) ? unique(key) : nil
                store.unique = known ?? random.pick([options.unknownUnique, 0])
                request.command = .store(store)
            }
            return request
        case .delete: return Request(.delete(key: key), quiet: quiet)
        case .arithmetic: return arithmetic(self.key(numeric: options.numbers > 0, &random), quiet, &random)
        case .touch: return Request(.touch(key: key, expiry: expiry(&random)), quiet: quiet)
        case .flush where options.flushes && random.chance(30): return Request(.flushAll(delay: 0), quiet: quiet)
        case .verbosity: return Request(.verbosity(0), quiet: quiet)
        case .flush, .version: return Request(.version)
        }
    }

    public func textKey(_ index: Int) -> Bytes {
        // A few keys have bytes that memcached lets pass though its manual forbids them, and one has the greatest length.
        switch index % 20 {
        case 7: prefix + Bytes("t\(index)") + [0x09, 0x01, 0x7F, 0xC3, 0xFF]
        case 13: prefix + Bytes("t\(index)") + Bytes(repeating: 0x78, count: 240 - prefix.count)
        default: prefix + Bytes("t\(index)")
        }
    }

    public func numberKey(_ index: Int) -> Bytes {
        prefix + Bytes("n\(index)")
    }

    private func key(numeric: Bool, _ random: inout RandomSource) -> Bytes {
        numeric ? numberKey(random.below(options.numbers)) : textKey(random.below(options.texts))
    }

    private func keys(_ random: inout RandomSource) -> [Bytes] {
        let count = random.pick(weighted: [(70, 1), (20, 1 + random.below(5)), (10, 5 + random.below(40))])
        return (0..<count).map { _ in key(numeric: options.numbers > 0 && random.chance(25), &random) }
    }

    private func arithmetic(_ key: Bytes, _ quiet: Bool, _ random: inout RandomSource) -> Request {
        let direction: Arithmetic.Direction = random.chance(50) ? .incr : .decr
        let huge = options.hugeNumbers || direction == .decr
        let delta = random.pick(weighted: [
            (60, UInt64(random.below(1000))), (20, random.next() >> (huge ? 0 : 16)), (10, 0), (10, huge ? .max : 1),
        ])
        return Request(.arithmetic(Arithmetic(direction, key: key, delta: delta)), quiet: quiet)
    }

    private func store(
        _ mode: StoreMode, _ key: Bytes, _ numeric: Bool, _ quiet: Bool, _ random: inout RandomSource
    ) -> Request {
        let flags = random.pick(weighted: [(50, 0), (30, UInt32(random.below(65536))), (20, .max)])
        let value = numeric ? number(&random) : text(&random)
        return Request(.store(Store(mode, key: key, value: value, flags: flags, expiry: expiry(&random))), quiet: quiet)
    }

    private func number(_ random: inout RandomSource) -> Bytes {
        let huge = options.hugeNumbers
        return Bytes(random.pick(weighted: [
            (50, "\(random.below(100_000))"), (15, "\(random.next() >> (huge ? 0 : 2))"), (10, "\(huge ? UInt64.max : 99)"), (10, "0"),
            (5, "00\(random.below(100))"), (5, "\(random.below(100))   "), (3, "18446744073709551616"), (2, "12x"),
        ]))
    }

    /// A text holds every byte, line ends and protocol words among them.
    private func text(_ random: inout RandomSource) -> Bytes {
        let length = random.pick(weighted: [
            (10, 0), (60, random.below(100)), (25, random.below(2000)), (5, random.below(options.longestValue)),
        ])
        let head = random.pick([Bytes("v"), Bytes("\r\nEND\r\n"), Bytes("VALUE x 0 1\r\n"), Bytes("get a\r\n"), [0x00], [0xFF]])
        var value = Bytes(head.prefix(length))
        while value.count < length { withUnsafeBytes(of: random.next()) { value.append(contentsOf: $0.prefix(length - value.count)) } }
        return value
    }

    private func expiry(_ random: inout RandomSource) -> Int32 {
        let short: Int32 = options.shortExpiries ? Int32(1 + random.below(20)) : 0
        return random.pick(weighted: [(65, 0), (15, short), (10, options.farExpiries.1), (5, -1), (3, Limits.longestRelativeExpiry), (2, 2_592_001)])
    }
}
