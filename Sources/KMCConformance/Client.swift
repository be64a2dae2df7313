// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// The endpoint, what it said about itself, and the model that judges it.
struct Target: Sendable {
    let endpoint: Endpoint
    let dialect: Dialect
    let version: String
    /// Seconds that a reply may take.
    let timeout: Int
    let limits: ReferenceCache.Limits
    /// What each connection begins with.
    var login: Login?
    /// Whether the server was started with `-A`.
    var allowsShutdown = false
    /// Makes the model wrong, for tests of the judge.
    var correction: (@Sendable (Command, Reply) -> Reply)?

    /// Whether binary is all that the endpoint speaks.
    var isBinary: Bool { login?.kind == .sasl }

    func makeModel() -> ServerModel {
        let model = ServerModel(
            dialect: dialect, options: ServerModel.Options(version: version, allowsShutdown: allowsShutdown, limits: limits), correction: correction)
        model.cache.clock = wallClock()
        model.cache.beginUniques(at: 1 << 40)
        return model
    }
}

/// Replies of either protocol out of bytes in any split.
struct ReplyStream {
    private var text = TextReplyDecoder()
    private var binary: BinaryReplyDecoder?

    init(isBinary: Bool) {
        binary = isBinary ? BinaryReplyDecoder() : nil
    }

    var unread: Bytes { binary?.unread ?? text.unread }

    mutating func append(_ bytes: Bytes) {
        if binary == nil { text.append(bytes) } else { binary?.append(bytes) }
    }

    mutating func next() throws -> Reply? {
        if binary == nil { return try text.next() }
        return try binary?.next().map { .binary($0) }
    }
}

/// What carries a client's bytes.
private enum Link {
    case stream(Socket), datagrams(Datagrams)
}

/// One connection to the endpoint, beside its twin in the model.
final class Client {
    /// The connection can't be understood or used any further.
    struct Broken: Error {
        let reason: String
        let replies: [Reply]
    }

    private let link: Link
    private let twin: ServerModel.Connection
    private var decoder: ReplyStream
    /// Whether the connection speaks the binary protocol.
    let isBinary: Bool

    init(_ target: Target, _ model: ServerModel, isBinary: Bool = false) throws {
        self.isBinary = isBinary
        decoder = ReplyStream(isBinary: isBinary)
        link = target.endpoint.isDatagram
            ? .datagrams(try Datagrams(target))
            : .stream(try Self.connect(target))
        twin = model.connect()
    }

    private static func connect(_ target: Target) throws -> Socket {
        let socket = try Socket(target.endpoint, timeout: target.timeout)
        try target.login?.perform(socket)
        return socket
    }

    var modelCloses: Bool { twin.isClosed }
    var modelIsIdle: Bool { twin.isIdle }

    /// What is sent behind a batch, and its answer, which shows that all before it has been answered.
    func marker(version: String) -> (sent: Bytes, answer: Reply) {
        guard isBinary else { return (.line("version"), .version(version)) }
        let noOperation = BinaryFrame(BinaryFrame.noOperation, opaque: BinaryFrame.markerOpaque)
        return (noOperation.encoded(BinaryFrame.requestMagic), .binary(noOperation))
    }

    /// What the model answers.
    func ask(_ bytes: Bytes) throws -> [Reply] {
        var decoder = ReplyStream(isBinary: isBinary)
        decoder.append(twin.receive(bytes))
        var replies: [Reply] = []
        while let reply = try decoder.next() { replies.append(reply) }
        return replies
    }

    /// Sends, then reads until so many answers to the marker have come.
    func exchange(_ pieces: [Bytes], versions: Int) throws -> [Reply] {
        try exchange(pieces) { replies in replies.count(where: \.isVersion) >= versions }
    }

    /// Sends, then reads until so many replies have come.
    func exchange(_ pieces: [Bytes], replies: Int) throws -> [Reply] {
        try exchange(pieces) { $0.count >= replies }
    }

    /// Sends, then reads until the server closes.
    func exchangeUntilClosed(_ pieces: [Bytes]) throws -> [Reply] {
        try exchange(pieces, until: nil)
    }

    /// Sends as much as the server takes without any reply being read.
    func sendWithoutReading(_ bytes: Bytes) -> Int {
        guard case .stream(let socket) = link else { return 0 }
        return socket.sendWithoutReading(bytes[...])
    }

    /// Sends requests, each in a datagram of its own, and reads the replies to it, which may come in several messages:
    /// memcached sends one for each key that it finds, and for each line of a refused value.
    func converse(_ datagrams: Datagrams, _ requests: [(bytes: Bytes, replies: Int)]) throws -> [Reply] {
        var replies: [Reply] = []
        do {
            for request in requests {
                let number = try datagrams.tell(request.bytes)
                let wanted = replies.count + request.replies
                while replies.count < wanted {
                    decoder.append(try datagrams.answer(to: number))
                    while let reply = try decoder.next() { replies.append(reply) }
                }
                guard decoder.unread.isEmpty else { throw Datagrams.Malformed(description: "half a reply: \"\(decoder.unread.escaped(limit: 80))\"") }
            }
        } catch {
            throw Broken(reason: "\(error)", replies: replies)
        }
        return replies
    }

    /// The connection, if it is none.
    var datagrams: Datagrams? {
        if case .datagrams(let datagrams) = link { return datagrams }
        return nil
    }

    func exchange(_ pieces: [Bytes], until done: (([Reply]) -> Bool)?) throws -> [Reply] {
        switch link {
        case .stream(let socket): return try exchange(socket, pieces, until: done)
        case .datagrams(let datagrams):
            let replies = try converse(datagrams, pieces.map { ($0, 1) })
            guard done?(replies) == true else { throw Broken(reason: "too few replies", replies: replies) }
            return replies
        }
    }

    private func exchange(_ socket: Socket, _ pieces: [Bytes], until done: (([Reply]) -> Bool)?) throws -> [Reply] {
        var replies: [Reply] = []
        var failure: String?
        func take(_ bytes: Bytes) {
            guard failure == nil else { return }
            decoder.append(bytes)
            do {
                while let reply = try decoder.next() { replies.append(reply) }
            } catch {
                failure = "\(error)"
            }
        }
        do {
            for piece in pieces where try !socket.send(piece, arriving: take) { break }
            while failure == nil, done?(replies) != true {
                guard let bytes = try socket.receive() else {
                    if done == nil { return replies }
                    throw Broken(reason: "the server closed the connection", replies: replies)
                }
                take(bytes)
            }
        } catch let error as EndpointError {
            let rest = decoder.unread
            let reason = rest.isEmpty ? "\(error)" : "\(error), after \"\(rest.escaped(limit: 80))\""
            throw Broken(reason: reason, replies: replies)
        }
        if let failure { throw Broken(reason: failure, replies: replies) }
        return replies
    }
}
