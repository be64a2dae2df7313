// SPDX-License-Identifier: MIT

/// What a server answers, in any of the protocols.
public enum Reply: Equatable, Sendable {
    /// The hits of a retrieval command, in the order of its keys, misses left out.
    case values([Value])
    /// Hits without the `END` after them, since a key that followed was refused (``Dialect/kmemcache``).
    case interrupted([Value])
    case stored
    case notStored
    case exists
    case notFound
    case deleted
    case touched
    case ok
    case reset
    /// The new number of `incr` and `decr`.
    case number(UInt64)
    case version(String)
    case stats([Statistic])
    case meta(MetaReply)
    /// A frame of the binary protocol.
    case binary(BinaryFrame)
    case failure(Failure)
    /// A line that the protocol doesn't know; 1.6.45 sends an empty one after refusing a key of `get`.
    case unknown(Bytes)

    /// How a tally names the reply: without its data, failures with their words.
    public var name: String {
        switch self {
        case .values(let values): values.isEmpty ? "END" : "VALUE"
        case .interrupted: "VALUE without END"
        case .stored: "STORED"
        case .notStored: "NOT_STORED"
        case .exists: "EXISTS"
        case .notFound: "NOT_FOUND"
        case .deleted: "DELETED"
        case .touched: "TOUCHED"
        case .ok: "OK"
        case .reset: "RESET"
        case .number: "number"
        case .version: "VERSION"
        case .stats: "STAT"
        case .meta(let reply): reply.code.rawValue
        case .binary(let frame): "status \(String(frame.status, radix: 16))"
        case .failure(let failure): failure.line
        case .unknown(let bytes): "unknown \"\(bytes.escaped(limit: 40))\""
        }
    }
}

/// One item in the answer to a retrieval command.
public struct Value: Equatable, Sendable {
    public var key: Bytes
    public var flags: UInt32
    public var data: Bytes
    /// Present when the command asked for it (`gets`, `gats`).
    public var unique: UInt64?

    public init(key: Bytes, flags: UInt32, data: Bytes, unique: UInt64? = nil) {
        self.key = key
        self.flags = flags
        self.data = data
        self.unique = unique
    }
}

/// One line of `stats`.
public struct Statistic: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A refusal, in memcached's own words.
public struct Failure: Error, Equatable, Hashable, Sendable {
    /// The whole line without its end.
    public let line: String

    public init(_ line: String) {
        self.line = line
    }

    public static let error = Failure("ERROR")
    public static let badFormat = Failure("CLIENT_ERROR bad command line format")
    public static let badChunk = Failure("CLIENT_ERROR bad data chunk")
    public static let badDelta = Failure("CLIENT_ERROR invalid numeric delta argument")
    public static let notNumeric = Failure("CLIENT_ERROR cannot increment or decrement non-numeric value")
    public static let badExpiry = Failure("CLIENT_ERROR invalid exptime argument")
    public static let badShutdownMode = Failure("CLIENT_ERROR invalid shutdown mode")
    public static let flushNotAllowed = Failure("CLIENT_ERROR flush_all not allowed")
    public static let deleteUsage = Failure("CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]")
    public static let tooLarge = Failure("SERVER_ERROR object too large for cache")
    public static let outOfMemory = Failure("SERVER_ERROR out of memory storing object")
    public static let shutdownNotEnabled = Failure("SERVER_ERROR: shutdown not enabled")
    /// 1.6.18's words for the same.
    public static let shutdownNotEnabledBefore = Failure("ERROR: shutdown not enabled")

    /// Whether a reply line is a refusal at all.
    static func recognises(_ line: Bytes) -> Bool {
        line.starts(with: "ERROR") || line.starts(with: "CLIENT_ERROR") || line.starts(with: "SERVER_ERROR")
    }
}
