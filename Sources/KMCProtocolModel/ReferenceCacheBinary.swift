// SPDX-License-Identifier: MIT

/// The binary protocol's commands.
extension ReferenceCache {
    /// What a request is answered, quiet or not; nil for those that aren't the cache's.
    mutating func execute(_ request: BinaryFrame, _ opcode: BinaryOpcode) -> BinaryFrame? {
        switch opcode.deed {
        case .get, .getKey: retrieve(request, opcode, touching: nil)
        case .touch, .getAndTouch, .getKeyAndTouch: retrieve(request, opcode, touching: request.expiry(at: 0))
        case .store(let mode): complete(request, mode, announcedAt: clock)
        case .count(let direction): count(request, direction)
        case .delete: delete(request)
        case .flush, .noOperation, .version, .quit, .stats: nil
        }
    }

    /// Whether a request is refused when its key has been read, before its value has. Not counted as the text protocol's are.
    mutating func refuse(_ request: BinaryFrame, _ mode: StoreMode, length: Int) -> BinaryFrame? {
        let flags = mode.hasFlags ? UInt32(truncatingIfNeeded: request.extras.prefix(4).bigEndian) : 0
        guard size(key: request.key, flags: flags, length: length) > limits.itemSize else {
            if dialect.refusesByHeader { counters.setCommands += 1 }
            return nil
        }
        if mode == .set { items[request.key] = nil }
        return request.reply(.tooLarge)
    }

    mutating func complete(_ request: BinaryFrame, _ mode: StoreMode, announcedAt arrival: Int64) -> BinaryFrame {
        // memcached counts when the value is there, kmemcache, as for text, when it is announced.
        if !dialect.refusesByHeader { counters.setCommands += 1 }
        let asked = limits.uniques ? request.unique : 0
        var item = fresh(request.value, 0, .never)
        if mode.hasFlags {
            item.flags = UInt32(truncatingIfNeeded: request.extras.prefix(4).bigEndian)
            item.expires = deadline(request.expiry(at: 4), from: arrival)
        }
        // A unique makes a `cas` of set, add and replace alike.
        let status = store(item, mode.hasFlags && asked != 0 ? .cas : mode, asked, request.key)
        return status == .success ? request.reply(.success, unique: items[request.key]?.unique ?? 0) : request.reply(status)
    }

    private mutating func store(_ item: Item, _ mode: StoreMode, _ asked: UInt64, _ key: Bytes) -> BinaryStatus {
        let unique = dialect.uniqueRule == .perAttempt ? takeUnique() : nil
        guard let held = find(key) else {
            switch mode {
            case .set, .add:
                link(key, item, unique)
                return .success
            case .cas:
                counters.casMisses += 1
                return .notFound
            case .replace: return .notFound
            case .append, .prepend: return .notStored
            }
        }
        switch mode {
        case .add:
            items[key]?.seen.last = clock
            return .exists
        case .set, .replace: link(key, item, unique)
        case .cas:
            guard asked == held.unique else {
                counters.casBadValues += 1
                return .exists
            }
            counters.casHits += 1
            link(key, item, unique)
        case .append, .prepend:
            guard asked == 0 || asked == held.unique else { return .exists }
            let value = mode == .append ? held.value + item.value : item.value + held.value
            return join(key, held, value, unique) == .stored ? .success : .notStored
        }
        return .success
    }

    /// Times are without a sign: none is in the past.
    private func deadline(_ expiry: UInt32, from now: Int64) -> Expiry {
        let seconds = Int64(expiry)
        if seconds == 0 { return .never }
        return .at(seconds > Int64(KMCProtocolModel.Limits.longestRelativeExpiry) ? seconds : now + seconds)
    }

    private mutating func retrieve(_ request: BinaryFrame, _ opcode: BinaryOpcode, touching expiry: UInt32?) -> BinaryFrame {
        let held = find(request.key)
        access(request.key)
        if let expiry {
            counters.touchCommands += 1
            if held == nil { counters.touchMisses += 1 } else { counters.touchHits += 1 }
            let expires = deadline(expiry, from: clock)
            items[request.key]?.expires = expires
        } else {
            counters.getCommands += 1
            if held == nil { counters.getMisses += 1 } else { counters.getHits += 1 }
        }
        var reply = request.reply(held == nil ? .notFound : .success)
        if opcode.showsKey {
            reply.key = request.key
            reply.value = []
        }
        guard let held else { return reply }
        reply.extras.append(bigEndian: held.flags)
        if case .touch = opcode.deed { reply.value = [] } else { reply.value = held.value }
        reply.unique = held.unique
        return reply
    }

    private mutating func count(_ request: BinaryFrame, _ direction: Arithmetic.Direction) -> BinaryFrame {
        let delta = request.extras.prefix(8).bigEndian
        let initial = request.extras.dropFirst(8).prefix(8).bigEndian
        guard var item = find(request.key) else {
            guard request.expiry(at: 16) != .max else {
                if direction == .incr { counters.incrementMisses += 1 } else { counters.decrementMisses += 1 }
                return request.reply(.notFound)
            }
            let first = fresh(Bytes("\(initial)"), 0, deadline(request.expiry(at: 16), from: clock))
            return request.reply(number: initial, unique: link(request.key, first, nil).unique)
        }
        let size = size(key: request.key, flags: item.flags, length: item.value.count)
        guard size <= limits.chunkSize, !item.value.isEmpty else { return request.reply(.nonNumeric) }
        let asked = limits.uniques ? request.unique : 0
        guard request.unique == 0 || asked == item.unique else { return request.reply(.exists) }
        guard let number = number(in: item, under: request.key) else { return request.reply(.nonNumeric) }
        if direction == .incr { counters.incrementHits += 1 } else { counters.decrementHits += 1 }
        let result = Self.apply(Arithmetic(direction, key: request.key, delta: delta), to: number)
        write(result, to: &item, under: request.key)
        item.unique = takeUnique()
        items[request.key] = item
        return request.reply(number: result, unique: item.unique)
    }

    private mutating func delete(_ request: BinaryFrame) -> BinaryFrame {
        guard let held = find(request.key) else {
            counters.deleteMisses += 1
            return request.reply(.notFound)
        }
        guard request.unique == 0 || request.unique == held.unique else { return request.reply(.exists) }
        counters.deleteHits += 1
        items[request.key] = nil
        return request.reply(.success)
    }
}

extension StoreMode {
    /// Whether flags and a time come with the value.
    fileprivate var hasFlags: Bool { self != .append && self != .prepend }
}

extension BinaryOpcode {
    fileprivate var showsKey: Bool {
        switch deed {
        case .getKey, .getKeyAndTouch: true
        default: false
        }
    }
}

extension BinaryFrame {
    func reply(_ status: BinaryStatus, unique: UInt64 = 0) -> BinaryFrame {
        BinaryFrame(opcode, status: status.rawValue, value: Bytes(status.text), opaque: opaque, unique: unique)
    }

    fileprivate func reply(number: UInt64, unique: UInt64) -> BinaryFrame {
        var reply = reply(.success, unique: unique)
        reply.value.append(bigEndian: number)
        return reply
    }

    /// A time in the extras.
    func expiry(at offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: extras.dropFirst(offset).prefix(4).bigEndian)
    }
}
