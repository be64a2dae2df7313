// SPDX-License-Identifier: MIT

/// What a client asks for, in any of the protocols.
public enum Command: Equatable, Sendable {
    /// `get` and, with `unique`, `gets`.
    case get(keys: [Bytes], unique: Bool)
    /// `gat` and, with `unique`, `gats`.
    case getAndTouch(expiry: Int32, keys: [Bytes], unique: Bool)
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    case store(Store)
    case delete(key: Bytes)
    /// `incr` and `decr`.
    case arithmetic(Arithmetic)
    case touch(key: Bytes, expiry: Int32)
    /// `flush_all`; a delay of zero or less means now.
    case flushAll(delay: Int32)
    case version
    case verbosity(UInt32)
    case quit
    case shutdown(ShutdownMode)
    /// `stats` with its arguments.
    case stats([Bytes])
    case meta(MetaRequest)

    /// The command's word in the text protocol.
    public var name: String {
        switch self {
        case .get(_, let unique): unique ? "gets" : "get"
        case .getAndTouch(_, _, let unique): unique ? "gats" : "gat"
        case .store(let store): store.mode.rawValue
        case .delete: "delete"
        case .arithmetic(let arithmetic): arithmetic.direction.rawValue
        case .touch: "touch"
        case .flushAll: "flush_all"
        case .version: "version"
        case .verbosity: "verbosity"
        case .quit: "quit"
        case .shutdown: "shutdown"
        case .stats: "stats"
        case .meta(let request): request.verb.rawValue
        }
    }

    /// The keys that the command names, in order.
    public var keys: [Bytes] {
        switch self {
        case .get(let keys, _), .getAndTouch(_, let keys, _): keys
        case .store(let store): [store.key]
        case .delete(let key), .touch(let key, _): [key]
        case .arithmetic(let arithmetic): [arithmetic.key]
        case .meta(let request): request.verb == .noOperation ? [] : [request.key]
        case .flushAll, .version, .verbosity, .quit, .shutdown, .stats: []
        }
    }
}

/// A command and whether its answer is wanted.
public struct Request: Equatable, Sendable {
    public var command: Command
    /// `noreply` in the text protocol, the Q opcodes in the binary one.
    public var quiet: Bool

    public init(_ command: Command, quiet: Bool = false) {
        self.command = command
        self.quiet = quiet
    }
}

/// The ways to store a value.
public enum StoreMode: String, CaseIterable, Sendable {
    case set, add, replace, append, prepend, cas
}

/// The arguments of a storage command.
public struct Store: Equatable, Sendable {
    public var mode: StoreMode
    public var key: Bytes
    /// The client flags: kept and given back, never read.
    public var flags: UInt32
    /// 0 for ever, below 0 already expired, up to 30 days from now, above that a Unix time (protocol.txt, "Expiration times").
    public var expiry: Int32
    public var value: Bytes
    /// The `cas unique` to compare with; only looked at when `mode` is `cas`.
    public var unique: UInt64

    public init(
        _ mode: StoreMode, key: Bytes, value: Bytes, flags: UInt32 = 0, expiry: Int32 = 0, unique: UInt64 = 0
    ) {
        self.mode = mode
        self.key = key
        self.flags = flags
        self.expiry = expiry
        self.value = value
        self.unique = unique
    }
}

/// The arguments of `incr` and `decr`.
public struct Arithmetic: Equatable, Sendable {
    public enum Direction: String, CaseIterable, Sendable {
        case incr, decr
    }

    public var direction: Direction
    public var key: Bytes
    public var delta: UInt64

    public init(_ direction: Direction, key: Bytes, delta: UInt64) {
        self.direction = direction
        self.key = key
        self.delta = delta
    }
}

public enum ShutdownMode: String, Equatable, Sendable {
    case now, graceful
    /// Any other word: refused, but only after it has been seen whether the server may be shut down at all.
    case unknown
}
