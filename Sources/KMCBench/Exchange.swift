// SPDX-License-Identifier: MIT

import Glibc

/// One connection without its socket: says which bytes to send, takes the replies in pieces of any size, verifies them
/// and says when the batch is answered.
///
/// Replies are compared with the bytes that they should be, as many at once as have come. Only a reply that differs (a
/// miss, an error, a wrong value) is read word by word. A plain value: where all is as it should be, nothing here
/// allocates after init or moves a reference count.
struct Exchange: BitwiseCopyable {
    private(set) var batch: Batch
    /// Replies of the batch that are complete, and expected bytes that have come; more than those of complete replies
    /// while one is half here.
    var answered = 0
    private var matched = 0
    /// A reply that differs, as far as it has come.
    private var odd = Sheet(capacity: 64)
    let masks: Bool
    /// For datagrams: how much of each reply of the batch has come, or -1 if all of it has.
    let progress: UnsafeMutablePointer<Int>
    var tally = Tally()

    /// The longest line or error that a server may send; an announced value may be longer.
    private static let longestReply = 1 << 31

    /// Starts at request number `first`; `plan` must outlive the exchange.
    init(_ plan: Plan, first: Int = 0) {
        batch = Batch(plan.script, first: first)
        masks = plan.workload.dialect == .binary
        progress = .allocate(capacity: plan.workload.depth)
    }

    /// Frees the buffers; nobody may use the exchange afterwards.
    func deallocate() {
        batch.deallocate()
        odd.deallocate()
        progress.deallocate()
    }

    /// Replies that are still to come.
    var waiting: Int { batch.count &- answered }

    /// The batch as bytes to send.
    var request: UnsafeMutableRawPointer { batch.requests }
    var requestLength: Int { batch.requestLength }

    /// Goes on to the next batch, of at most `limit` requests; returns how many there are.
    mutating func prepare(limit: Int) -> Int {
        answered = 0
        matched = 0
        let count = batch.turn(limit: limit)
        if batch.script.pointee.encoder.framed { progress.update(repeating: 0, count: count) }
        return count
    }

    /// Takes `count` bytes that came; returns how many replies they completed, or less than 0 if they are no reply,
    /// after which the connection is of no use.
    mutating func received(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        if odd.count == 0 && count <= batch.replyLength &- matched {
            if masks ? isExpectedButCAS(bytes, count) : memcmp(bytes, batch.replies + matched, count) == 0 {
                return accept(count)
            }
        }
        return receivedOdd(bytes, count)
    }

    /// Bytes that are as expected.
    private mutating func accept(_ count: Int) -> Int {
        matched &+= count
        let before = answered
        if matched == batch.replyLength {
            answered = batch.count
        } else {
            while answered < batch.count && batch.replyStart(answered &+ 1) <= matched { answered &+= 1 }
        }
        tally(from: before, to: answered)
        return answered &- before
    }

    mutating func tally(from start: Int, to end: Int) {
        let keys = batch.script.pointee.keysPerRequest
        let reads = batch.script.pointee.reads(batch.first &+ start, end &- start)
        tally.requests &+= end &- start
        tally.keys &+= reads &* keys &+ (end &- start &- reads)
        tally.hits &+= reads &* keys
    }

    /// Whether the next `count` bytes are as expected, whatever the CAS values among them are.
    private func isExpectedButCAS(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        var place = answered
        var offset = 0
        while offset < count {
            let cas = batch.replyStart(place) &+ Encoder.cas.lowerBound &- matched
            let end = min(cas, count)
            if offset < end && memcmp(bytes + offset, batch.replies + (matched &+ offset), end &- offset) != 0 {
                return false
            }
            offset = max(offset, cas &+ Encoder.cas.count)
            place &+= 1
        }
        return true
    }

    /// Something among these bytes differs from what it should be.
    private mutating func receivedOdd(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let before = answered
        if odd.count == 0 {
            // What has come of this reply was right, and is not kept anywhere else.
            let start = batch.replyStart(answered)
            odd.append(batch.replies + start, matched &- start)
        }
        odd.append(bytes, count)
        while odd.count > 0 {
            guard waiting > 0, odd.count < Self.longestReply else { return -1 }
            let used = takeReply()
            if used <= 0 { return used < 0 ? -1 : answered &- before }
            odd.drop(used)
        }
        return answered &- before
    }

    /// The start of what was not understood, for a message.
    var unread: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: odd.bytes, count: min(odd.count, 64))
    }

    /// Takes the next reply from `odd`: returns its length, 0 if more bytes are needed, less than 0 if it is none.
    private mutating func takeReply() -> Int {
        let expected = batch.replyStart(answered &+ 1) &- batch.replyStart(answered)
        var used = expected
        if odd.count >= expected && isExpected(expected) {
            tally(from: answered, to: answered &+ 1)
        } else {
            let number = batch.number(answered)
            var reader = ReplyReader(batch.script, number)
            used = reader.read(odd.bytes, odd.count)
            guard used > 0 else { return used }
            tally += reader.tally
        }
        answered &+= 1
        matched = batch.replyStart(answered)
        return used
    }

    private func isExpected(_ length: Int) -> Bool {
        if masks { memset(odd.bytes + Encoder.cas.lowerBound, 0, Encoder.cas.count) }
        return memcmp(odd.bytes, batch.replies + batch.replyStart(answered), length) == 0
    }
}
