// SPDX-License-Identifier: MIT

/// A frame of the binary protocol: a header of 24 bytes, extras, key and value (protocol_binary.h).
public struct BinaryFrame: Equatable, Sendable {
    public static let requestMagic: UInt8 = 0x80
    public static let replyMagic: UInt8 = 0x81
    static let headerLength = 24

    public var opcode: UInt8
    /// Of a reply; requests have a vbucket there, which nobody reads.
    public var status: UInt16
    public var extras: Bytes
    public var key: Bytes
    public var value: Bytes
    /// Comes back as it came.
    public var opaque: UInt32
    /// The CAS unique; 0 for none.
    public var unique: UInt64

    public init(
        _ opcode: UInt8, status: UInt16 = 0, extras: Bytes = [], key: Bytes = [], value: Bytes = [], opaque: UInt32 = 0,
        unique: UInt64 = 0
    ) {
        self.opcode = opcode
        self.status = status
        self.extras = extras
        self.key = key
        self.value = value
        self.opaque = opaque
        self.unique = unique
    }

    public func encoded(_ magic: UInt8) -> Bytes {
        var bytes: Bytes = [magic, opcode]
        bytes.append(bigEndian: UInt16(truncatingIfNeeded: key.count))
        bytes += [UInt8(truncatingIfNeeded: extras.count), 0]
        bytes.append(bigEndian: status)
        bytes.append(bigEndian: UInt32(extras.count + key.count + value.count))
        bytes.append(bigEndian: opaque)
        bytes.append(bigEndian: unique)
        return bytes + extras + key + value
    }
}

extension Array where Element == UInt8 {
    public mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}

extension Collection where Element == UInt8 {
    /// The number that all of the bytes make, the first the highest.
    var bigEndian: UInt64 {
        reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The header of a frame that has not arrived in full.
struct BinaryHeader: Equatable, Sendable {
    let magic: UInt8
    let opcode: UInt8
    let keyLength: Int
    let extrasLength: Int
    let status: UInt16
    let bodyLength: Int
    let opaque: UInt32
    let unique: UInt64

    /// - Parameter bytes: 24 of them.
    init(_ bytes: ArraySlice<UInt8>) {
        let bytes = Bytes(bytes)
        magic = bytes[0]
        opcode = bytes[1]
        keyLength = Int(bytes[2..<4].bigEndian)
        extrasLength = Int(bytes[4])
        status = UInt16(bytes[6..<8].bigEndian)
        bodyLength = Int(bytes[8..<12].bigEndian)
        opaque = UInt32(bytes[12..<16].bigEndian)
        unique = bytes[16..<24].bigEndian
    }

    var headLength: Int { keyLength + extrasLength }

    /// The frame, if `body` is all that belongs to it.
    func frame(_ body: ArraySlice<UInt8>) -> BinaryFrame {
        BinaryFrame(
            opcode, status: status, extras: Bytes(body.prefix(extrasLength)),
            key: Bytes(body.dropFirst(extrasLength).prefix(keyLength)), value: Bytes(body.dropFirst(headLength)), opaque: opaque,
            unique: unique)
    }
}

/// The client's side: bytes in any split become replies.
public struct BinaryReplyDecoder {
    public struct Malformed: Error, Equatable {
        public let header: Bytes
    }

    private var queue = ByteQueue()

    public init() {}

    public var isIdle: Bool { queue.isEmpty }
    public var unread: Bytes { Bytes(queue.unread) }

    public mutating func append(_ bytes: some Sequence<UInt8>) {
        queue.append(bytes)
    }

    /// The next complete reply, or nil until more bytes arrive.
    public mutating func next() throws(Malformed) -> BinaryFrame? {
        guard queue.count >= BinaryFrame.headerLength else { return nil }
        let header = BinaryHeader(queue.unread.prefix(BinaryFrame.headerLength))
        guard header.magic == BinaryFrame.replyMagic, header.headLength <= header.bodyLength else {
            throw Malformed(header: Bytes(queue.unread.prefix(BinaryFrame.headerLength)))
        }
        guard let whole = queue.take(BinaryFrame.headerLength + header.bodyLength) else { return nil }
        return header.frame(whole.dropFirst(BinaryFrame.headerLength))
    }
}
