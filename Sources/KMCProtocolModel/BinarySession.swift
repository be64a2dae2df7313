// SPDX-License-Identifier: MIT

/// A connection that speaks the binary protocol: what comes back for what has arrived.
struct BinarySession {
    private let server: ServerModel
    private var decoder: BinaryRequestDecoder
    private var announcedAt: Int64 = 0
    private(set) var isClosed = false

    init(_ server: ServerModel) {
        self.server = server
        decoder = BinaryRequestDecoder(dialect: server.dialect)
    }

    var isIdle: Bool { decoder.isIdle }

    mutating func receive(_ bytes: some Sequence<UInt8>) -> Bytes {
        var sent: Bytes = []
        decoder.append(bytes)
        while !isClosed, let event = decoder.next() {
            for reply in handle(event) { sent += reply.encoded(BinaryFrame.replyMagic) }
        }
        return sent
    }

    private mutating func handle(_ event: BinaryRequestDecoder.Event) -> [BinaryFrame] {
        switch event {
        case .request(let request, let opcode, let length?): return announce(request, opcode, length)
        case .request(let request, let opcode, nil): return execute(request, opcode)
        case .value(let request, let opcode):
            guard case .store(let mode) = opcode.deed else { return [] }
            return told(server.cache.complete(request, mode, announcedAt: announcedAt), opcode)
        case .refused(let request, let status, let closes):
            isClosed = closes
            return [request.reply(status)]
        case .close:
            isClosed = true
            return []
        }
    }

    private mutating func announce(_ request: BinaryFrame, _ opcode: BinaryOpcode, _ length: Int) -> [BinaryFrame] {
        guard case .store(let mode) = opcode.deed else { return [] }
        announcedAt = server.cache.clock
        if let refusal = server.cache.refuse(request, mode, length: length) {
            decoder.swallow()
            return [refusal]
        }
        decoder.collect()
        return []
    }

    private mutating func execute(_ request: BinaryFrame, _ opcode: BinaryOpcode) -> [BinaryFrame] {
        switch opcode.deed {
        case .version:
            var reply = request.reply(.success)
            reply.value = Bytes(server.options.version)
            return [reply]
        case .noOperation: return [request.reply(.success)]
        case .quit:
            isClosed = true
            return told(request.reply(.success), opcode)
        case .flush:
            guard server.options.allowsFlush else { return [request.reply(.refused)] }
            server.cache.flush(request.extras.isEmpty ? 0 : Int32(clamping: request.expiry(at: 0)))
            return told(request.reply(.success), opcode)
        case .stats: return statistics(request)
        default: return server.cache.execute(request, opcode).map { told($0, opcode) } ?? []
        }
    }

    /// A quiet request's success isn't told, but for what a retrieval found; what it didn't find isn't, either.
    private func told(_ reply: BinaryFrame, _ opcode: BinaryOpcode) -> [BinaryFrame] {
        guard opcode.isQuiet else { return [reply] }
        let isFound = reply.status == BinaryStatus.success.rawValue
        return isFound == opcode.retrieves ? [reply] : []
    }

    /// A row for each figure, then an empty one.
    private func statistics(_ request: BinaryFrame) -> [BinaryFrame] {
        let name = String(decoding: request.key, as: UTF8.self)
        let isReset = name.hasPrefix("reset")
        guard isReset || name.hasPrefix("settings") || ["", "items", "slabs", "sizes"].contains(name) else {
            return [request.reply(.notFound)]
        }
        if isReset { server.cache.resetCounters() }
        let rows = name.isEmpty ? server.cache.counters.statistics : []
        return rows.map { row in
            BinaryFrame(request.opcode, key: Bytes(row.name), value: Bytes(row.value), opaque: request.opaque)
        } + [request.reply(.success)]
    }
}

extension BinaryOpcode {
    fileprivate var retrieves: Bool {
        switch deed {
        case .get, .getKey, .getAndTouch, .getKeyAndTouch: true
        default: false
        }
    }
}
