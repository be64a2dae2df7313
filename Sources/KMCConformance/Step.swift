// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// One thing that a client does, in a form that can be done again under other keys and beside other CAS uniques.
struct Step: Sendable {
    enum Action: Equatable, Sendable {
        /// A command. The unique of a `cas` is symbolic: ``Step/lastSeen`` stands for the one last shown for its key.
        case request(Request)
        /// A request of the binary protocol, whose unique is symbolic as well; all actions of its client are binary.
        case frame(BinaryFrame)
        /// Bytes that need not be commands.
        case raw(Bytes)
        /// Bytes after which the client leaves without reading further.
        case leave(Bytes)
    }

    /// Which of the clients acts.
    var client: Int
    var action: Action
    /// The client waits for all replies before anybody does anything else.
    var waits: Bool
    /// Bytes are sent in pieces of at most this length; in one piece if nil.
    var pieces: Int?

    /// Stands for the unique that the server last showed for the key.
    static let lastSeen: UInt64 = 1
    /// A unique that no server hands out.
    static let unknownUnique: UInt64 = .max - 1

    init(_ action: Action, client: Int = 0, waits: Bool = true, pieces: Int? = nil) {
        self.client = client
        self.action = action
        self.waits = waits
        self.pieces = pieces
    }

    init(_ request: Request, client: Int = 0, waits: Bool = true, pieces: Int? = nil) {
        self.init(.request(request), client: client, waits: waits, pieces: pieces)
    }

    /// The same step with `prefix` replaced by one of the same length wherever it occurs.
    func replacing(_ prefix: Bytes, by other: Bytes) -> Step {
        var step = self
        switch action {
        case .raw(let bytes): step.action = .raw(bytes.replacing(prefix, by: other))
        case .leave(let bytes): step.action = .leave(bytes.replacing(prefix, by: other))
        case .frame(var frame):
            frame.key = frame.key.replacing(prefix, by: other)
            step.action = .frame(frame)
        case .request(let request):
            step.action = .request(Request(request.command.mappingKeys { $0.replacing(prefix, by: other) }, quiet: request.quiet))
        }
        return step
    }

    /// How a tally names what was done.
    var name: String {
        switch action {
        case .request(let request): request.command.name + (request.quiet ? " noreply" : "")
        case .frame(let frame): "binary \(frame.opcode < 16 ? "0" : "")\(String(frame.opcode, radix: 16))"
        case .raw: "(malformed)"
        case .leave: "(cut off)"
        }
    }
}

extension Command {
    func mappingKeys(_ change: (Bytes) -> Bytes) -> Command {
        switch self {
        case .get(let keys, let unique): return .get(keys: keys.map(change), unique: unique)
        case .getAndTouch(let expiry, let keys, let unique):
            return .getAndTouch(expiry: expiry, keys: keys.map(change), unique: unique)
        case .store(var store):
            store.key = change(store.key)
            return .store(store)
        case .delete(let key): return .delete(key: change(key))
        case .arithmetic(var arithmetic):
            arithmetic.key = change(arithmetic.key)
            return .arithmetic(arithmetic)
        case .touch(let key, let expiry): return .touch(key: change(key), expiry: expiry)
        case .meta(let request): return .meta(request.mappingKey(change))
        case .flushAll, .version, .verbosity, .quit, .shutdown, .stats: return self
        }
    }
}

extension Array where Element == UInt8 {
    func replacing(_ part: Bytes, by other: Bytes) -> Bytes {
        guard count >= part.count, !part.isEmpty else { return self }
        var result: Bytes = []
        var rest = self[...]
        while !rest.isEmpty {
            if rest.starts(with: part) {
                result.append(contentsOf: other)
                rest = rest.dropFirst(part.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
