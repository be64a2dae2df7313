// SPDX-License-Identifier: MIT

/// A protocol's way between bytes and the commands and replies that all protocols share.
///
/// One file family per protocol: text now, meta, binary and the UDP frame beside it.
public protocol Codec: Sendable {
    associatedtype RequestDecoder
    associatedtype ReplyDecoder

    /// What a client sends.
    func encode(_ request: Request) -> Bytes
    /// What a server sends; empty for a reply that a quiet request suppresses.
    func encode(_ reply: Reply) -> Bytes
    func requestDecoder() -> RequestDecoder
    func replyDecoder() -> ReplyDecoder
}

/// The classic text protocol (protocol.txt).
public struct TextCodec: Codec {
    public let dialect: Dialect

    public init(dialect: Dialect = .v1_6_45) {
        self.dialect = dialect
    }

    public func requestDecoder() -> TextRequestDecoder { TextRequestDecoder(dialect: dialect) }
    public func replyDecoder() -> TextReplyDecoder { TextReplyDecoder() }
}

// MARK: - Requests

extension TextCodec {
    public func encode(_ request: Request) -> Bytes {
        if case .meta(let meta) = request.command { return encode(meta) }
        var line = Bytes(request.command.name)
        for argument in arguments(of: request.command) {
            line.append(ASCII.space)
            line.append(contentsOf: argument)
        }
        if request.quiet { line.append(" noreply") }
        line.appendLineEnd()
        if case .store(let store) = request.command {
            line.append(contentsOf: store.value)
            line.appendLineEnd()
        }
        return line
    }

    private func arguments(of command: Command) -> [Bytes] {
        switch command {
        case .get(let keys, _): keys
        case .getAndTouch(let expiry, let keys, _): [Bytes("\(expiry)")] + keys
        case .store(let store): arguments(of: store)
        case .delete(let key): [key]
        case .arithmetic(let arithmetic): [arithmetic.key, Bytes("\(arithmetic.delta)")]
        case .touch(let key, let expiry): [key, Bytes("\(expiry)")]
        case .flushAll(let delay): delay == 0 ? [] : [Bytes("\(delay)")]
        case .verbosity(let level): [Bytes("\(level)")]
        case .shutdown(let mode): mode == .now ? [] : [Bytes(mode.rawValue)]
        case .stats(let arguments): arguments
        case .version, .quit, .meta: []
        }
    }

    private func encode(_ request: MetaRequest) -> Bytes {
        if request.verb == .noOperation { return .line(request.verb.rawValue) }
        var words = [Bytes(request.verb.rawValue), request.key]
        if request.verb == .store { words.append(Bytes("\(request.value.count)")) }
        words += request.flags.map(\.word)
        let line = Bytes(words.joined(separator: [ASCII.space])) + .line("")
        return request.verb == .store ? line + request.value + .line("") : line
    }

    private func arguments(of store: Store) -> [Bytes] {
        let words = [store.key, Bytes("\(store.flags)"), Bytes("\(store.expiry)"), Bytes("\(store.value.count)")]
        return store.mode == .cas ? words + [Bytes("\(store.unique)")] : words
    }
}

// MARK: - Replies

extension TextCodec {
    public func encode(_ reply: Reply) -> Bytes {
        switch reply {
        case .values(let values): encodeHits(values) + .line("END")
        case .interrupted(let values): encodeHits(values)
        case .stats(let stats):
            stats.reduce(into: []) { $0.append("STAT \($1.name) \($1.value)\r\n") } + .line("END")
        case .number(let number): .line("\(number)")
        case .version(let version): .line("VERSION \(version)")
        case .meta(let reply): encode(reply)
        case .binary(let frame): frame.encoded(BinaryFrame.replyMagic)
        case .failure(let failure): .line(failure.line)
        case .unknown(let bytes): bytes + .line("")
        case .stored, .notStored, .exists, .notFound, .deleted, .touched, .ok, .reset: .line(reply.name)
        }
    }

    private func encode(_ reply: MetaReply) -> Bytes {
        let head = [Bytes(reply.code.rawValue)] + (reply.value.map { [Bytes("\($0.count)")] } ?? [])
        let line = Bytes((head + reply.words).joined(separator: [ASCII.space])) + .line("")
        return reply.value.map { line + $0 + .line("") } ?? line
    }

    /// The values of a retrieval without the `END` after them.
    private func encodeHits(_ values: [Value]) -> Bytes {
        var bytes: Bytes = []
        for value in values {
            bytes.append("VALUE ")
            bytes.append(contentsOf: value.key)
            bytes.append(" \(value.flags) \(value.data.count)")
            if let unique = value.unique { bytes.append(" \(unique)") }
            bytes.appendLineEnd()
            bytes.append(contentsOf: value.data)
            bytes.appendLineEnd()
        }
        return bytes
    }
}
