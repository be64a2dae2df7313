// SPDX-License-Identifier: MIT

import Glibc

/// One connection's closed loop without its socket: writes a batch of requests, then takes the replies in pieces of any
/// size, verifies them and says when the batch is answered.
///
/// A plain value in memory of its own: nothing here allocates after init or moves a reference count.
struct Exchange: BitwiseCopyable {
    /// The least room for a receive. A batch of small replies fits, and a reply that does not is moved to the front.
    private static let receiveRoom = 64 << 10

    private let templates: UnsafePointer<Templates>
    /// The batch that is being sent.
    let request: UnsafeMutableRawPointer
    private(set) var requestLength = 0
    /// Requests at the front of `request` that differ from the next ones only in keys and values.
    private var laidOut = 0

    private let reply: UnsafeMutableRawPointer
    private let capacity: Int
    /// Received, but not yet understood: `start..<end` of `reply`.
    private var start = 0
    private var end = 0
    /// The header of the item that the next key should have.
    private let header: UnsafeMutableRawPointer

    /// Number of the next request to send, and of the next reply to come.
    private var sent: Int
    private var answered: Int
    /// Keys of the reply in progress that are done.
    private var keysDone = 0
    var tally = Tally()

    /// Starts at request number `first`; `plan` must outlive the exchange.
    init(_ plan: Plan, first: Int = 0) {
        templates = plan.templates
        sent = first
        answered = first
        request = .allocate(byteCount: templates.pointee.longestBatch, alignment: 16)
        capacity = Self.receiveRoom + 2 * templates.pointee.itemLength
        reply = .allocate(byteCount: capacity, alignment: 16)
        header = .allocate(byteCount: templates.pointee.headerLength, alignment: 16)
        header.copyMemory(from: templates.pointee.header, byteCount: templates.pointee.headerLength)
    }

    /// Frees the buffers; nobody may use the exchange afterwards.
    func deallocate() {
        request.deallocate()
        reply.deallocate()
        header.deallocate()
    }

    /// Replies that are still to come.
    var waiting: Int { sent &- answered }

    /// Writes the next batch, of at most `limit` requests, into `request`; returns how many there are.
    mutating func prepare(limit: Int) -> Int {
        let count = min(templates.pointee.depth, limit)
        let same = templates.pointee.everyOther == 0
        var offset = 0
        for place in 0..<count {
            let form = templates.pointee.form(of: sent)
            if !same || place >= laidOut {
                memcpy(request + offset, form.pointee.bytes, form.pointee.length)
            }
            fill(form.pointee, at: request + offset)
            offset &+= form.pointee.length
            sent &+= 1
        }
        laidOut = max(laidOut, count)
        requestLength = offset
        return count
    }

    private func fill(_ form: RequestForm, at place: UnsafeMutableRawPointer) {
        var digits = place + form.digits
        for number in 0..<form.keys {
            templates.pointee.key(sent, number).write(at: digits)
            digits += form.keyStride
        }
        if form.value >= 0 {
            templates.pointee.writeValue(of: templates.pointee.key(sent), at: place + form.value)
        }
    }

    /// Where the next bytes from the server go. Never empty while the last `received` did not fail.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: reply + end, count: capacity &- end)
    }

    /// Takes `count` bytes that were put into `room`; returns how many replies they completed, or less than 0 if they
    /// are no reply, after which the connection is of no use.
    mutating func received(_ count: Int) -> Int {
        end &+= count
        let before = answered
        while start < end {
            guard waiting > 0 else { return -1 }
            let used = step(reply + start, end &- start)
            if used <= 0 {
                return used < 0 || !makeRoom() ? -1 : answered &- before
            }
            start &+= used
        }
        start = 0
        end = 0
        return answered &- before
    }

    /// The start of what was not understood, for a message.
    var unread: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: reply + start, count: min(end - start, 64))
    }

    /// Moves an incomplete reply to the front; false if it fills the buffer, so that it can never be completed.
    private mutating func makeRoom() -> Bool {
        if start > 0 && capacity &- end < Self.receiveRoom / 2 {
            memmove(reply, reply + start, end &- start)
            end &-= start
            start = 0
        }
        return end < capacity
    }

    /// Consumes one piece of a reply: returns its length, 0 if more bytes are needed, or less than 0 if it is none.
    private mutating func step(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        let form = templates.pointee.form(of: answered)
        switch form.pointee.reply {
        case .items: return stepItems(bytes, count, form.pointee.keys)
        case .meta: return stepMeta(bytes, count)
        case .stored: return stepStored(bytes, count)
        }
    }

    /// Items, as many as are there and expected, or the end of a reply to `get`.
    private mutating func stepItems(_ bytes: UnsafeRawPointer, _ count: Int, _ keys: Int) -> Int {
        let length = templates.pointee.itemLength
        var used = 0
        while keysDone < keys && count &- used >= length {
            let key = templates.pointee.key(answered, keysDone)
            guard isHeader(of: key, bytes + used) else { break }
            guard takeValue(of: key, bytes + used + templates.pointee.headerLength) else { return -1 }
            keysDone &+= 1
            used &+= length
        }
        if count &- used >= 5 && bytes.loadUnaligned(fromByteOffset: used, as: UInt32.self) == Token.end
            && bytes.load(fromByteOffset: used &+ 4, as: UInt8.self) == Token.lineFeed
        {
            tally.misses &+= keys &- keysDone
            return finish(keys, used: used &+ 5)
        }
        return used > 0 ? used : stepOther(bytes, count, keys)
    }

    private func isHeader(of key: KeyName, _ bytes: UnsafeRawPointer) -> Bool {
        key.write(at: header + templates.pointee.headerDigits)
        return memcmp(bytes, header, templates.pointee.headerLength) == 0
    }

    /// A value of the announced size and the line end behind it: is it that of `key`? False if no line ends there.
    private mutating func takeValue(of key: KeyName, _ bytes: UnsafeRawPointer) -> Bool {
        let size = templates.pointee.valueSize
        guard bytes.loadUnaligned(fromByteOffset: size, as: UInt16.self) == Token.lineEnd else { return false }
        if !templates.pointee.verify || templates.pointee.isValue(of: key, at: bytes) {
            tally.hits &+= 1
        } else {
            tally.wrong &+= 1
        }
        return true
    }

    private mutating func stepMeta(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        let headerLength = templates.pointee.metaHeaderLength
        let length = headerLength &+ templates.pointee.valueSize &+ 2
        if count >= length && memcmp(bytes, templates.pointee.metaHeader, headerLength) == 0 {
            guard takeValue(of: templates.pointee.key(answered), bytes + headerLength) else { return -1 }
            return finish(1, used: length)
        }
        if count >= 4 && bytes.loadUnaligned(as: UInt32.self) == Token.metaMiss {
            tally.misses &+= 1
            return finish(1, used: 4)
        }
        return stepOther(bytes, count, 1)
    }

    private mutating func stepStored(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        if count >= 8 && bytes.loadUnaligned(as: UInt64.self) == Token.stored {
            return finish(1, used: 8)
        }
        return stepOther(bytes, count, 1)
    }

    private mutating func finish(_ keys: Int, used: Int) -> Int {
        tally.requests &+= 1
        tally.keys &+= keys
        keysDone = 0
        answered &+= 1
        return used
    }

    /// Whatever is not the expected next piece: an incomplete one, an item of another key or size, or an error.
    private mutating func stepOther(_ bytes: UnsafeRawPointer, _ count: Int, _ keys: Int) -> Int {
        switch ReplyLine(bytes, count, key: templates.pointee.headerKey, keySize: templates.pointee.keySize) {
        case .incomplete:
            return 0
        case .nonsense:
            return -1
        case .error(let length):
            tally.errors &+= 1
            return finish(keys, used: length)
        case .item(let length, let digits):
            guard length <= count else { return length > capacity ? -1 : 0 }
            return takeOtherItem(bytes, length, digits, keys)
        }
    }

    /// An item that is not the next key's: those before it in the request are misses; one that fits none is wrong.
    private mutating func takeOtherItem(
        _ bytes: UnsafeRawPointer, _ length: Int, _ digits: UInt64?, _ keys: Int
    ) -> Int {
        let form = templates.pointee.form(of: answered).pointee.reply
        guard form != .stored else { return -1 }
        guard bytes.loadUnaligned(fromByteOffset: length - 2, as: UInt16.self) == Token.lineEnd else { return -1 }
        if form == .meta {
            tally.wrong += 1
            return finish(1, used: length)
        }
        for place in keysDone..<max(keys, keysDone) {
            let key = templates.pointee.key(answered, place)
            guard key.digits == digits else { continue }
            tally.misses += place - keysDone
            keysDone = place + 1
            if length == templates.pointee.itemLength && isHeader(of: key, bytes) {
                return takeValue(of: key, bytes + templates.pointee.headerLength) ? length : -1
            }
            break
        }
        tally.wrong += 1
        return length
    }
}
