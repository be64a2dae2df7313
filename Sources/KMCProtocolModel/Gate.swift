// SPDX-License-Identifier: MIT

/// A connection that has to say who it is before anything else is served: what comes back until it has.
///
/// What a client sends behind the right answer is no longer the gate's affair, so a conversation ends there.
public struct Gate {
    /// Of one user, and how the name is told.
    public enum Kind: Sendable {
        /// A `set` whose value is user and password (protocol.txt, "Authentication"; `-Y`).
        case text
        /// SASL PLAIN (`-S`).
        case sasl
    }

    /// A line below this many bytes closes (proto_text.c, MIN_AUTH_REQ_LEN).
    private static let shortestLine = 6
    /// protocol_binary.h, PROTOCOL_BINARY_RESPONSE_AUTH_CONTINUE
    private static let goOn: UInt16 = 0x21

    private let kind: Kind
    private let user: Bytes
    private let password: Bytes
    private let version: String
    private var queue = ByteQueue()
    private var awaited: Int?
    /// Whoever began with PLAIN and said nothing was asked to go on (RFC 4422, section 3.3; libsasl2 does for memcached).
    private var isAskedToGoOn = false
    public private(set) var isOpen = false
    public private(set) var isClosed = false

    public init(_ kind: Kind, user: Bytes, password: Bytes, version: String) {
        self.kind = kind
        self.user = user
        self.password = password
        self.version = version
    }

    /// What the server sends when these bytes arrive.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> Bytes {
        queue.append(bytes)
        var sent: Bytes = []
        while !isOpen, !isClosed, let answer = kind == .text ? nextText() : nextFrame() { sent += answer }
        return sent
    }

    private mutating func nextText() -> Bytes? {
        if let length = awaited {
            guard let token = queue.take(length) else { return nil }
            awaited = nil
            return .line(judge(Bytes(token)))
        }
        guard let line = queue.takeLine() else { return nil }
        guard line.count >= Self.shortestLine else {
            isClosed = true
            return []
        }
        let words = line.split(whereSeparator: { $0 == ASCII.space || $0 == ASCII.carriageReturn })
        guard words.count > 4, words[0].spells("set"), let length = Numbers.unsigned32(words[4]) else {
            return .line("CLIENT_ERROR unauthenticated")
        }
        awaited = Int(length) + 2
        return []
    }

    /// "<user> <password>", with the line end behind it.
    private mutating func judge(_ token: Bytes) -> String {
        guard token.suffix(2).elementsEqual([ASCII.carriageReturn, ASCII.lineFeed]) else {
            return "CLIENT_ERROR bad command line termination"
        }
        guard token.contains(ASCII.space) else { return "CLIENT_ERROR bad authentication token format" }
        isOpen = token.dropLast(2).elementsEqual(user + [ASCII.space] + password)
        return isOpen ? "STORED" : "CLIENT_ERROR authentication failure"
    }

    private mutating func nextFrame() -> Bytes? {
        guard queue.count >= BinaryFrame.headerLength else { return nil }
        let header = BinaryHeader(queue.unread.prefix(BinaryFrame.headerLength))
        guard let whole = queue.take(BinaryFrame.headerLength + header.bodyLength) else { return nil }
        let request = header.frame(whole.dropFirst(BinaryFrame.headerLength))
        return answer(request).encoded(BinaryFrame.replyMagic)
    }

    private mutating func answer(_ request: BinaryFrame) -> BinaryFrame {
        var reply = BinaryFrame(request.opcode, opaque: request.opaque)
        let goesOn = isAskedToGoOn && request.opcode == 0x22
        let speaksPlain = goesOn || request.opcode == 0x21 && request.key == Bytes("PLAIN")
        if (0x21...0x22).contains(request.opcode) {
            isAskedToGoOn = speaksPlain && !goesOn && request.value.isEmpty
        }
        switch request.opcode {
        case 0x0B: reply.value = Bytes(version)
        case 0x20: reply.value = Bytes("PLAIN")
        case 0x21 where isAskedToGoOn: reply.status = Self.goOn
        case 0x21...0x22 where speaksPlain && request.value == [0] + user + [0] + password:
            reply.value = Bytes("Authenticated")
            isOpen = true
        default:
            reply = request.reply(.refused)
            isClosed = !(0x21...0x22).contains(request.opcode)
        }
        return reply
    }
}
