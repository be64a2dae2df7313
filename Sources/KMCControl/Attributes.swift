// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import CLibNL

/// The attributes of a message or of a nest, read from bytes that are not trusted.
///
/// Reads go through slices that check their bounds: a length that lies ends in
/// ``ControlError/badReply(_:)``. Attributes that this program does not know are passed over.
struct Attributes {
    private struct Entry {
        let type: UInt16
        let payload: ArraySlice<UInt8>
    }

    private let entries: [Entry]

    /// Splits `bytes` into attributes (`struct nlattr`: length, type, payload, padded to 4 bytes).
    init(_ bytes: ArraySlice<UInt8>) throws(ControlError) {
        var entries: [Entry] = []
        var rest = bytes
        while !rest.isEmpty {
            guard let length = rest.integer(at: 0, as: UInt16.self).map(Int.init),
                let type = rest.integer(at: 2, as: UInt16.self)
            else { throw .badReply("an attribute's header is cut off") }
            guard length >= Self.headerLength, length <= rest.count else {
                throw .badReply("an attribute's length is wrong")
            }
            entries.append(Entry(type: type & Self.typeMask, payload: rest.prefix(length).dropFirst(Self.headerLength)))
            rest = rest.dropFirst(align4(length))
        }
        self.entries = entries
    }

    private static let headerLength = MemoryLayout<nlattr>.size
    /// Without `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
    private static let typeMask: UInt16 = 0x3fff

    /// The last one of that type counts, as in the kernel.
    func payload(_ type: UInt32) -> ArraySlice<UInt8>? {
        entries.last { $0.type == type }?.payload
    }

    func integer<Value: FixedWidthInteger>(_ type: UInt32, as: Value.Type = Value.self) throws(ControlError) -> Value? {
        guard let payload = payload(type) else { return nil }
        guard payload.count == MemoryLayout<Value>.size, let value = payload.integer(at: 0, as: Value.self) else {
            throw .badReply("attribute \(type) has \(payload.count) bytes")
        }
        return value
    }

    /// A string ends at its first zero byte, or where the attribute ends.
    func string(_ type: UInt32) -> String? {
        payload(type).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The nests of that type, in the order of the message.
    func nests(_ type: UInt32) throws(ControlError) -> [Attributes] {
        var nests: [Attributes] = []
        for entry in entries where entry.type == type {
            nests.append(try Attributes(entry.payload))
        }
        return nests
    }
}

/// `length` with its padding (`NLA_ALIGN`, `NLMSG_ALIGN`).
func align4(_ length: Int) -> Int { (length + 3) & ~3 }

extension ArraySlice<UInt8> {
    /// The integer at `offset` bytes from the slice's start, in the machine's byte order; `nil` when it is cut off.
    func integer<Value: FixedWidthInteger>(at offset: Int, as: Value.Type) -> Value? {
        guard offset <= count, count - offset >= MemoryLayout<Value>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}
