// SPDX-License-Identifier: MIT

/// A model of a whole server at the level of bytes: what a connection receives, and what the server sends back.
///
/// All connections share one cache, and a command is executed when its last byte has been received, so the order of
/// calls to ``Connection/receive(_:)`` is the order of the commands.
///
///     let server = ServerModel(dialect: .kmemcache)
///     let client = server.connect()
///     client.receive(Bytes("set a 0 0 1\r\n")) // nothing yet
///     client.receive(Bytes("x\r\nget a\r\n"))  // "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n"
///
/// CAS uniques come from one counter per server: ``Dialect/firstUnique`` says where it begins, ``Dialect/UniqueRule``
/// when one is taken.
public final class ServerModel {
    public struct Options: Sendable {
        /// The answer to `version`.
        public var version: String
        /// `-A`
        public var allowsShutdown: Bool
        /// Off by `-F`.
        public var allowsFlush: Bool
        public var limits: ReferenceCache.Limits

        public init(
            version: String, allowsShutdown: Bool = false, allowsFlush: Bool = true,
            limits: ReferenceCache.Limits = ReferenceCache.Limits()
        ) {
            self.version = version
            self.allowsShutdown = allowsShutdown
            self.allowsFlush = allowsFlush
            self.limits = limits
        }
    }

    public let dialect: Dialect
    public let options: Options
    public var cache: ReferenceCache
    /// Set by an admitted `shutdown`.
    public private(set) var shutdown: ShutdownMode?
    private let correction: (@Sendable (Command, Reply) -> Reply)?

    public init(dialect: Dialect = .v1_6_45, options: Options? = nil) {
        self.dialect = dialect
        self.options = options ?? Options(version: dialect.name)
        cache = ReferenceCache(limits: self.options.limits, dialect: dialect)
        correction = nil
    }

    /// A model that is wrong on purpose, for tests that a judge notices.
    package init(
        dialect: Dialect, options: Options, correction: (@Sendable (Command, Reply) -> Reply)?
    ) {
        self.dialect = dialect
        self.options = options
        cache = ReferenceCache(limits: options.limits, dialect: dialect)
        self.correction = correction
    }

    public func connect() -> Connection {
        Connection(self)
    }

    private func answer(_ command: Command) -> Reply? {
        switch command {
        case .version: return .version(options.version)
        case .verbosity: return .ok
        case .stats(let words): return statistics(words)
        case .flushAll where !options.allowsFlush: return refuseFlush(.flushNotAllowed)
        case .shutdown(let mode):
            guard options.allowsShutdown else { return .failure(dialect.shutdownRefusal) }
            if mode == .unknown { return .failure(.badShutdownMode) }
            shutdown = mode
            return nil
        case .quit: return nil
        default:
            let reply = cache.execute(command)
            return reply.flatMap { correction?(command, $0) } ?? reply
        }
    }

    /// A refused `flush_all` counts, too.
    private func refuseFlush(_ failure: Failure) -> Reply {
        cache.counters.flushCommands += 1
        return .failure(options.allowsFlush ? failure : .flushNotAllowed)
    }

    /// The figures that follow from the commands; a real server has many more.
    private func statistics(_ words: [Bytes]) -> Reply {
        guard let word = words.first else { return .stats(cache.counters.statistics) }
        let known = ["reset", "settings", "items", "slabs", "sizes", "conns"]
        let name = String(decoding: word, as: UTF8.self)
        guard let match = known.first(where: { $0 == name || dialect.abbreviatesStats && $0.hasPrefix(name) }) else {
            return .failure(.error)
        }
        if match == "reset" { cache.resetCounters() }
        return match == "reset" ? .reset : .values([])
    }
}

extension ServerModel {
    /// One client's connection.
    public final class Connection {
        private let server: ServerModel
        private let codec: TextCodec
        private var decoder: TextRequestDecoder
        /// Set by a first byte that is the binary protocol's.
        private var binary: BinarySession?
        private var hasBegun = false
        private var announcedAt: Int64 = 0
        public private(set) var isClosed = false

        fileprivate init(_ server: ServerModel) {
            self.server = server
            codec = TextCodec(dialect: server.dialect)
            decoder = codec.requestDecoder()
        }

        /// Whether the next byte begins a command.
        public var isIdle: Bool { !isClosed && (binary?.isIdle ?? decoder.isIdle) }

        /// What the server sends when these bytes arrive; any split of a stream gives the same bytes in all.
        ///
        /// One thing depends on the split, as it does with memcached, but not with kmemcache: a line over 2048 bytes that isn't a `get` or
        /// `gets` closes the connection once its beginning has arrived alone, but is read when it arrives whole.
        @discardableResult
        public func receive(_ bytes: some Sequence<UInt8>) -> Bytes {
            if !hasBegun, let first = bytes.first(where: { _ in true }) {
                hasBegun = true
                if first == BinaryFrame.requestMagic { binary = BinarySession(server) }
            }
            if binary != nil {
                guard !isClosed, let sent = binary?.receive(bytes) else { return [] }
                isClosed = binary?.isClosed ?? false
                return sent
            }
            var sent: Bytes = []
            decoder.append(bytes)
            while !isClosed, let event = decoder.next() {
                handle(event, &sent)
            }
            return sent
        }

        private func handle(_ event: TextRequestDecoder.Event, _ sent: inout Bytes) {
            switch event {
            case .request(let request): execute(request, &sent)
            case .announced(let command, let length, let quiet):
                announcedAt = server.cache.clock
                if let failure = server.cache.refuse(command, length: length) {
                    decoder.swallow()
                    send(.failure(failure), unless: quiet, &sent)
                } else {
                    decoder.collect()
                }
            case .stored(let request): store(request, &sent)
            case .badChunk(let quiet): send(.failure(.badChunk), unless: quiet, &sent)
            case .partial(let request, let failure): refuseLaterKey(request, failure, &sent)
            case .refused(let failure, let quiet): send(.failure(failure), unless: quiet, &sent)
            case .streamed(let command):
                if case .values(let values) = server.answer(command) { send(.interrupted(values), unless: false, &sent) }
            case .streamEnd: send(.values([]), unless: false, &sent)
            case .badFlush(let quiet): send(server.refuseFlush(.badExpiry), unless: quiet, &sent)
            case .close: isClosed = true
            }
        }

        private func execute(_ request: Request, _ sent: inout Bytes) {
            if let reply = server.answer(request.command) { send(reply, unless: request.quiet, &sent) }
            if request.command == .quit || server.shutdown != nil { isClosed = true }
        }

        private func store(_ request: Request, _ sent: inout Bytes) {
            guard let reply = server.cache.complete(request.command, announcedAt: announcedAt) else { return }
            send(server.correction?(request.command, reply) ?? reply, unless: request.quiet, &sent)
        }

        /// memcached has looked up, and touched, the keys before a bad one, and throws the values away.
        private func refuseLaterKey(_ request: Request, _ failure: Failure, _ sent: inout Bytes) {
            if !server.dialect.streamsLongLines { _ = server.answer(request.command) }
            send(.failure(failure), unless: false, &sent)
            if server.dialect.doublesKeyRefusal { send(.unknown([]), unless: false, &sent) }
        }

        private func send(_ reply: Reply, unless quiet: Bool, _ sent: inout Bytes) {
            if !quiet { sent.append(contentsOf: codec.encode(reply)) }
        }
    }
}
