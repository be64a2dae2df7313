// SPDX-License-Identifier: MIT

/// The server's side of the binary protocol: bytes in any split become events.
///
/// As with the text protocol, a request with a value is two events, and the owner decides between them.
struct BinaryRequestDecoder {
    enum Event {
        /// A request; without its value if `awaits`, and then the owner calls ``collect()`` or ``swallow()``.
        case request(BinaryFrame, BinaryOpcode, awaits: Int?)
        /// The value of the request that was announced.
        case value(BinaryFrame, BinaryOpcode)
        /// A request that is answered without a deed.
        case refused(BinaryFrame, BinaryStatus, closes: Bool)
        case close
    }

    private enum State {
        case head
        case undecided(BinaryFrame, BinaryOpcode, length: Int)
        case value(BinaryFrame, BinaryOpcode, length: Int)
        case swallowing(Int)
        case closed
    }

    /// See ``Dialect/refusesByHeader``.
    private let refusesByHeader: Bool
    private var state = State.head
    private var queue = ByteQueue()

    init(dialect: Dialect) {
        refusesByHeader = dialect.refusesByHeader
    }

    var isIdle: Bool {
        if case .head = state { return queue.isEmpty }
        return false
    }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if case .closed = state { return }
        queue.append(bytes)
    }

    mutating func next() -> Event? {
        switch state {
        case .head: return nextHead()
        case .undecided, .closed: return nil
        case .value(let frame, let opcode, let length):
            guard let value = queue.take(length) else { return nil }
            state = .head
            var whole = frame
            whole.value = Bytes(value)
            return .value(whole, opcode)
        case .swallowing(let length):
            let left = length - queue.drop(length)
            state = left > 0 ? .swallowing(left) : .head
            return left > 0 ? nil : nextHead()
        }
    }

    mutating func collect() {
        guard case .undecided(let frame, let opcode, let length) = state else { return }
        state = .value(frame, opcode, length: length)
    }

    mutating func swallow() {
        guard case .undecided(_, _, let length) = state else { return }
        state = .swallowing(length)
    }

    private mutating func nextHead() -> Event? {
        guard queue.count >= BinaryFrame.headerLength else { return nil }
        let header = BinaryHeader(queue.unread.prefix(BinaryFrame.headerLength))
        guard header.magic == BinaryFrame.requestMagic else { return close(.close) }
        if refusesByHeader, let refusal = refusal(of: header) { return refuse(header, refusal) }
        guard let head = queue.take(BinaryFrame.headerLength + header.headLength) else { return nil }
        if let refusal = refusal(of: header) { return refuse(header, refusal) }
        guard let opcode = BinaryOpcode.named(header.opcode) else { return nil }
        let frame = header.frame(head.dropFirst(BinaryFrame.headerLength))
        guard opcode.hasValue else { return .request(frame, opcode, awaits: nil) }
        let length = header.bodyLength - header.headLength
        state = .undecided(frame, opcode, length: length)
        return .request(frame, opcode, awaits: length)
    }

    private func refusal(of header: BinaryHeader) -> BinaryStatus? {
        if header.headLength > header.bodyLength { return .unknown }
        if header.bodyLength > Limits.binaryBody || header.keyLength > Limits.keyLength { return .invalid }
        guard let opcode = BinaryOpcode.named(header.opcode) else { return .unknown }
        return opcode.fits(header, strict: refusesByHeader) ? nil : .invalid
    }

    /// An unknown opcode is survived, and its body thrown away; memcached throws extras and key away twice.
    private mutating func refuse(_ header: BinaryHeader, _ status: BinaryStatus) -> Event {
        let frame = BinaryFrame(header.opcode, opaque: header.opaque)
        guard status == .unknown, header.headLength <= header.bodyLength else {
            return close(.refused(frame, status, closes: true))
        }
        if refusesByHeader { _ = queue.take(BinaryFrame.headerLength) }
        if header.bodyLength > 0 { state = .swallowing(bodyToSwallow(header)) }
        return .refused(frame, status, closes: false)
    }

    /// The opcodes of SASL, which is off, are told from unknown ones by what memcached throws away.
    private func bodyToSwallow(_ header: BinaryHeader) -> Int {
        let isSASL = (0x20...0x22).contains(header.opcode)
        return refusesByHeader || !isSASL ? header.bodyLength : header.bodyLength - header.keyLength
    }

    private mutating func close(_ event: Event) -> Event {
        state = .closed
        queue.removeAll()
        return event
    }
}
