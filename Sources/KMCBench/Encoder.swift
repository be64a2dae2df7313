// SPDX-License-Identifier: MIT

/// Writes requests, and the replies that they should get.
struct Encoder: BitwiseCopyable {
    let corpus: Corpus
    let dialect: Dialect
    /// Each request is a datagram with a frame of its own (memcached protocol.txt, "UDP protocol").
    let framed: Bool

    /// Bytes of a UDP frame's header, and of a binary message's.
    static let frame = 8
    static let binaryHeader = 24
    /// Where a binary reply says the item's CAS value, which nobody can know before: 0 here.
    static let cas = 16..<24

    /// Appends a request that names `keys` and the reply that it gets if each of them is there. `tag` comes back with
    /// the reply of a datagram or of the binary protocol.
    func encode(
        _ action: Action, _ keys: UnsafePointer<UInt32>, _ count: Int, tag: UInt16,
        to request: inout Sheet, reply: inout Sheet
    ) {
        if framed {
            request.append(big: tag)
            request.append(big: UInt16(0))
            request.append(big: UInt16(1))
            request.append(big: UInt16(0))
        }
        if dialect == .binary { return encodeBinary(action, keys[0], UInt32(tag), &request, &reply) }
        switch action {
        case .get: encodeGet(keys, count, &request, &reply)
        case .mg: encodeMetaGet(keys[0], &request, &reply)
        case .set: encodeSet(keys[0], &request, &reply)
        }
    }

    private func encodeGet(
        _ keys: UnsafePointer<UInt32>, _ count: Int, _ request: inout Sheet, _ reply: inout Sheet
    ) {
        request.append("get")
        for place in 0..<count {
            request.append(" ")
            corpus.appendKey(keys[place], to: &request)
            reply.append("VALUE ")
            corpus.appendKey(keys[place], to: &reply)
            reply.append(" 0 ")
            reply.append(decimal: corpus.valueSize(keys[place]))
            reply.append("\r\n")
            corpus.appendValue(keys[place], to: &reply)
            reply.append("\r\n")
        }
        request.append("\r\n")
        reply.append("END\r\n")
    }

    private func encodeMetaGet(_ key: UInt32, _ request: inout Sheet, _ reply: inout Sheet) {
        request.append("mg ")
        corpus.appendKey(key, to: &request)
        request.append(" v\r\n")
        reply.append("VA ")
        reply.append(decimal: corpus.valueSize(key))
        reply.append("\r\n")
        corpus.appendValue(key, to: &reply)
        reply.append("\r\n")
    }

    private func encodeSet(_ key: UInt32, _ request: inout Sheet, _ reply: inout Sheet) {
        request.append("set ")
        corpus.appendKey(key, to: &request)
        request.append(" 0 0 ")
        request.append(decimal: corpus.valueSize(key))
        request.append("\r\n")
        corpus.appendValue(key, to: &request)
        request.append("\r\n")
        reply.append("STORED\r\n")
    }

    /// memcached protocol_binary.txt: header, extras, key, value.
    private func encodeBinary(
        _ action: Action, _ key: UInt32, _ opaque: UInt32, _ request: inout Sheet, _ reply: inout Sheet
    ) {
        let isSet = action == .set
        let keySize = corpus.keySize(key)
        let valueSize = corpus.valueSize(key)
        let opcode: UInt8 = isSet ? 0x01 : 0x00
        let asked = BinaryHeader(
            magic: 0x80, opcode: opcode, keySize: keySize, extras: isSet ? 8 : 0, valueSize: isSet ? valueSize : 0)
        asked.append(opaque, to: &request)
        // Flags and expiry.
        if isSet { request.append(big: UInt64(0)) }
        corpus.appendKey(key, to: &request)
        if isSet { corpus.appendValue(key, to: &request) }
        let answered = BinaryHeader(
            magic: 0x81, opcode: opcode, keySize: 0, extras: isSet ? 0 : 4, valueSize: isSet ? 0 : valueSize)
        answered.append(opaque, to: &reply)
        if !isSet {
            reply.append(big: UInt32(0))
            corpus.appendValue(key, to: &reply)
        }
    }
}

/// The 24 bytes in front of each binary message.
private struct BinaryHeader {
    let magic: UInt8
    let opcode: UInt8
    let keySize: Int
    let extras: Int
    let valueSize: Int

    func append(_ opaque: UInt32, to sheet: inout Sheet) {
        sheet.append(big: magic)
        sheet.append(big: opcode)
        sheet.append(big: UInt16(keySize))
        sheet.append(big: UInt8(extras))
        sheet.append(big: UInt8(0))
        sheet.append(big: UInt16(0))
        sheet.append(big: UInt32(extras + keySize + valueSize))
        sheet.append(big: opaque)
        sheet.append(big: UInt64(0))
    }
}
