// SPDX-License-Identifier: MIT

/// What several clients of the text protocol send, decided by a seed: commands, nearly commands and garbage, whole,
/// in pieces and in bundles, each with what the model says must come back.
///
/// For a differential test of a server that takes bytes and gives bytes:
///
///     var traffic = RandomTextTraffic(seed: 7)
///     while exchanges < 100_000 {
///         let exchange = traffic.next()
///         clock.set(exchange.clock)
///         let answer = server.feed(exchange.connection, exchange.bytes)   // a new connection where `opens`
///         expect(answer == exchange.expected && server.isClosed(exchange.connection) == exchange.closes)
///     }
///
/// CAS uniques are compared as numbers, so the server has to begin and count them as the dialect says.
public struct RandomTextTraffic {
    public struct Options: Sendable {
        public var connections = 4
        public var requests = RandomRequests.Options()
        /// Percentage of lines that are malformed.
        public var malformedPercent = 10
        /// Percentage of commands that are meta commands.
        public var metaPercent = 30
        /// Percentage of connections that speak the binary protocol.
        public var binaryPercent = 25
        /// Percentage of bundles that end with something long: retrievals of hundreds of keys, a line without an end,
        /// values that are chunked or too large.
        public var longPercent = 2
        /// Percentage of commands after which the client leaves, half of them in the middle of the command.
        public var leavePercent = 5
        /// Percentage of commands after which the clock goes on by a second or two.
        public var tickPercent = 2
        public var clock: Int64 = 1_700_000_000
        /// Percentage of commands that `further` makes instead, whole ones with their data.
        public var furtherPercent = 0
        public var further: @Sendable (inout RandomSource, RandomRequests) -> Bytes = { _, _ in [] }

        public init() {
            requests.flushes = true
            requests.shortExpiries = true
        }
    }

    /// Bytes that arrive together on one connection.
    public struct Exchange: Sendable {
        public let connection: Int
        /// Whether the connection is a new one: an earlier one of that number has been closed by either side.
        public let opens: Bool
        public let bytes: Bytes
        /// What the server sends because of them.
        public let expected: Bytes
        /// Whether the server closes the connection then.
        public let closes: Bool
        /// The time at which the bytes arrive, in seconds since 1970; never goes back.
        public let clock: Int64
    }

    private struct Client {
        var connection: ServerModel.Connection
        var opens = true
        var pieces: [Bytes] = []
        var isBinary = false
        /// The client leaves when its pieces are sent.
        var leaves = false
    }

    public let server: ServerModel
    private let options: Options
    private let requests: RandomRequests
    private let meta: RandomMeta
    private let binary: RandomBinary
    private var random: RandomSource
    private var clients: [Client]
    private var uniques: [Bytes: UInt64] = [:]

    public init(
        seed: UInt64, dialect: Dialect = .kmemcache, serverOptions: ServerModel.Options? = nil, options: Options = Options()
    ) {
        let server = ServerModel(dialect: dialect, options: serverOptions)
        server.cache.clock = options.clock
        server.cache.began = options.clock
        self.server = server
        self.options = options
        requests = RandomRequests(prefix: Bytes("r."), options: options.requests)
        meta = RandomMeta(requests, dialect: dialect)
        binary = RandomBinary(requests)
        random = RandomSource(seed: seed)
        let hasBinary = options.binaryPercent > 0
        clients = (0..<max(1, options.connections)).map { Client(connection: server.connect(), isBinary: hasBinary && $0 % 4 == 3) }
    }

    /// The next bytes on some connection.
    public mutating func next() -> Exchange {
        let index = random.below(clients.count)
        if clients[index].connection.isClosed || clients[index].pieces.isEmpty && clients[index].leaves {
            clients[index] = Client(connection: server.connect(), isBinary: random.chance(options.binaryPercent))
        }
        if clients[index].pieces.isEmpty { refill(index) }
        if random.chance(options.tickPercent) { server.cache.clock += Int64(1 + random.below(2)) }

        let opens = clients[index].opens
        clients[index].opens = false
        let bytes = clients[index].pieces.removeFirst()
        let expected = clients[index].connection.receive(bytes)
        if !clients[index].isBinary { learn(from: expected) }
        return Exchange(
            connection: index, opens: opens, bytes: bytes, expected: expected,
            closes: clients[index].connection.isClosed, clock: server.cache.clock)
    }

    /// One command in pieces, or several at once.
    private mutating func refill(_ index: Int) {
        let bundle = random.pick(weighted: [(60, 1), (30, 2 + random.below(4)), (10, 10 + random.below(30))])
        var bytes: Bytes = []
        let isBinary = clients[index].isBinary
        for _ in 0..<bundle { bytes.append(contentsOf: isBinary ? frame() : command()) }
        if !isBinary, random.chance(options.longPercent) { bytes.append(contentsOf: long()) }
        let leaves = random.chance(options.leavePercent)
        if leaves { bytes = random.chance(50) ? Bytes(bytes.prefix(1 + random.below(bytes.count))) : bytes + (isBinary ? BinaryFrame(0x07).encoded(BinaryFrame.requestMagic) : .line("quit")) }
        let longest = random.pick(weighted: [(60, bytes.count), (20, 100), (15, 10), (5, 1)])
        let whole = longest >= bytes.count || bytes.count / longest > 300
        clients[index].pieces = whole ? [bytes] : random.split(bytes, longest: longest)
        clients[index].leaves = leaves
    }

    private mutating func frame() -> Bytes {
        if random.chance(options.malformedPercent / 3) { return binary.wrong(&random) }
        return binary.next(&random) { server.cache.unique(of: $0) }.encoded(BinaryFrame.requestMagic)
    }

    private mutating func command() -> Bytes {
        if random.chance(options.malformedPercent) {
            return MalformedLines.next(&random, key: requests.textKey(random.below(options.requests.texts)))
        }
        if random.chance(options.furtherPercent) { return options.further(&random, requests) }
        let request = random.chance(options.metaPercent)
            ? Request(.meta(meta.next(&random) { server.cache.unique(of: $0) })) : requests.next(&random) { uniques[$0] }
        return TextCodec(dialect: server.dialect).encode(request)
    }

    private mutating func long() -> Bytes {
        let keys = (0..<300 + random.below(300)).map { _ in requests.textKey(random.below(options.requests.texts)) }
        let line = Bytes(keys.joined(separator: Bytes(" ")))
        let key = requests.textKey(random.below(options.requests.texts))
        switch random.below(7) {
        case 0: return Bytes("get ") + line + .line("")
        case 1: return Bytes("gats 100 ") + line + .line("")
        case 2: return MalformedLines.fill("gets ", key: []) + line + MalformedLines.fill(" L K", key: key) + .line("")
        case 3: return Bytes("delete ") + line
        case 4: return Bytes("get") + Bytes(repeating: ASCII.space, count: 3000) + .line("")
        default:
            let mode = random.pick(StoreMode.allCases)
            let large = requests.prefix + Bytes("large\(random.below(3))")
            let value = Bytes(repeating: UInt8(random.below(256)), count: 400_000 + random.below(800_000))
            let codec = TextCodec(dialect: server.dialect)
            let store = Store(mode, key: large, value: value, unique: uniques[large] ?? 0)
            return codec.encode(Request(.store(store))) + codec.encode(Request(.get(keys: [large], unique: true)))
        }
    }

    /// Remembers the uniques that `gets` has shown, for later `cas` commands.
    private mutating func learn(from bytes: Bytes) {
        var decoder = TextReplyDecoder()
        decoder.append(bytes)
        while let reply = try? decoder.next() {
            guard case .values(let values) = reply else { continue }
            for value in values { uniques[value.key] = value.unique ?? uniques[value.key] }
        }
    }
}
