// SPDX-License-Identifier: MIT

import Glibc

/// Replies over UDP (memcached protocol.txt, "UDP protocol"): each datagram says which request it answers. The datagrams
/// of one reply are taken in the order of their numbers, as a network without detours delivers them.
extension Exchange {
    /// Takes one datagram; returns how many replies it completed. One that answers nothing of this batch is dropped.
    /// May write to `bytes`.
    mutating func receivedDatagram(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard count >= Encoder.frame else { return 0 }
        let tag = UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))
        let place = Int(tag &- UInt16(truncatingIfNeeded: batch.first))
        guard place < batch.count, progress[place] >= 0 else { return 0 }
        let payload = bytes + Encoder.frame
        let length = count &- Encoder.frame
        let has = progress[place]
        if masks && has == 0 && length >= Encoder.binaryHeader {
            memset(payload + Encoder.cas.lowerBound, 0, Encoder.cas.count)
        }
        let start = batch.replyStart(place)
        let wanted = batch.replyStart(place &+ 1) &- start
        guard length <= wanted &- has, memcmp(payload, batch.replies + (start &+ has), length) == 0 else {
            return takeOdd(payload, length, place)
        }
        progress[place] = has &+ length
        guard progress[place] == wanted else { return 0 }
        tally(from: place, to: place &+ 1)
        return finish(place)
    }

    /// Counts what has not come as lost; the batch is over.
    mutating func giveUp() {
        tally.lost += waiting
        answered = batch.count
    }

    /// A reply that differs. One of several datagrams does so only if a value is wrong, or one was lost.
    private mutating func takeOdd(_ payload: UnsafeMutableRawPointer, _ length: Int, _ place: Int) -> Int {
        var reader = ReplyReader(batch.script, batch.number(place))
        if reader.read(payload, length) == length {
            tally += reader.tally
        } else {
            tally += Tally(requests: 1, keys: reader.tally.keys, wrong: 1)
        }
        return finish(place)
    }

    private mutating func finish(_ place: Int) -> Int {
        progress[place] = -1
        answered &+= 1
        return 1
    }
}
