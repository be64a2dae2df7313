// SPDX-License-Identifier: MIT

import Glibc

/// Reads a reply that is not the expected one: what is missing, wrong, or an error?
struct ReplyReader {
    private let script: UnsafePointer<Script>
    private let keys: UnsafePointer<UInt32>
    private let keyCount: Int
    private let action: Action
    private(set) var tally = Tally(requests: 1)

    /// For the reply to the request with this number.
    init(_ script: UnsafePointer<Script>, _ number: Int) {
        self.script = script
        keys = script.pointee.keys(number)
        action = script.pointee.action(number)
        keyCount = action == .set ? 1 : script.pointee.keysPerRequest
        tally.keys = keyCount
    }

    /// Returns the length of the reply that starts at `bytes`, 0 if it is longer than `count`, less than 0 if it is none.
    mutating func read(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        let reply = UnsafeRawBufferPointer(start: bytes, count: count)
        if script.pointee.encoder.dialect == .binary { return readBinary(reply) }
        switch ReplyLine(reply) {
        case .incomplete: return 0
        case .nonsense: return -1
        case .error(let length):
            tally.errors += 1
            return length
        case .end, .item: return action == .get ? readItems(reply) : -1
        case .metaMiss(let length):
            guard action == .mg else { return -1 }
            tally.misses += 1
            return length
        case .metaItem(let line, let size):
            guard action == .mg else { return -1 }
            return readMetaItem(reply, line, size)
        case .stored: return -1
        }
    }

    /// Items up to `END`: those that were passed over are misses; one that fits none of the keys is wrong.
    private mutating func readItems(_ reply: UnsafeRawBufferPointer) -> Int {
        var used = 0
        var next = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: reply[used...])
            switch ReplyLine(rest) {
            case .incomplete: return 0
            case .end(let length):
                tally.misses += keyCount - next
                return used + length
            case .error(let length):
                tally.errors += 1
                return used + length
            case .item(let line, let key, let size):
                let length = line + size + 2
                guard rest.count >= length else { return 0 }
                guard endsLine(rest, length) else { return -1 }
                take(key, UnsafeRawBufferPointer(rebasing: rest[line..<line + size]), &next)
                used += length
            default: return -1
            }
        }
    }

    private mutating func take(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ next: inout Int) {
        let found = (next..<max(keyCount, next)).first { place in
            bytes { script.pointee.encoder.corpus.appendKey(keys[place], to: &$0) }.elementsEqual(key)
        }
        guard let found else {
            tally.wrong += 1
            return
        }
        tally.misses += found - next
        next = found + 1
        judge(value, of: keys[found])
    }

    private mutating func judge(_ value: UnsafeRawBufferPointer, of key: UInt32) {
        let right = !script.pointee.verify
            || bytes { script.pointee.encoder.corpus.appendValue(key, to: &$0) }.elementsEqual(value)
        if right { tally.hits += 1 } else { tally.wrong += 1 }
    }

    private mutating func readMetaItem(_ reply: UnsafeRawBufferPointer, _ line: Int, _ size: Int) -> Int {
        let length = line + size + 2
        guard reply.count >= length else { return 0 }
        guard endsLine(reply, length) else { return -1 }
        judge(UnsafeRawBufferPointer(rebasing: reply[line..<line + size]), of: keys[0])
        return length
    }

    private func endsLine(_ reply: UnsafeRawBufferPointer, _ length: Int) -> Bool {
        reply.loadUnaligned(fromByteOffset: length - 2, as: UInt16.self) == Token.lineEnd
    }

    /// memcached protocol_binary.txt, "Response header"; status 1 is a key that is not there.
    private mutating func readBinary(_ reply: UnsafeRawBufferPointer) -> Int {
        guard reply[0] == 0x81 else { return -1 }
        guard reply.count >= Encoder.binaryHeader else { return 0 }
        let status = UInt16(bigEndian: reply.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        let length = Encoder.binaryHeader + Int(UInt32(bigEndian: reply.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard reply.count >= length else { return 0 }
        switch (status, action) {
        case (0, .set): return length > Encoder.binaryHeader ? -1 : length
        case (0, _):
            let value = Encoder.binaryHeader + Int(reply[4]) + Int(UInt16(bigEndian: reply.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard value <= length else { return -1 }
            judge(UnsafeRawBufferPointer(rebasing: reply[value..<length]), of: keys[0])
        case (1, .get): tally.misses += 1
        default: tally.errors += 1
        }
        return length
    }

    /// What `write` appends.
    private func bytes(_ write: (inout Sheet) -> Void) -> [UInt8] {
        var sheet = Sheet(capacity: 512)
        defer { sheet.deallocate() }
        write(&sheet)
        return Array(UnsafeRawBufferPointer(start: sheet.bytes, count: sheet.count))
    }
}
