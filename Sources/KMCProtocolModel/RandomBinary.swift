// SPDX-License-Identifier: MIT

/// Random requests of the binary protocol over the keys of ``RandomRequests``, most of them valid.
public struct RandomBinary: Sendable {
    private let requests: RandomRequests

    public init(_ requests: RandomRequests) {
        self.requests = requests
    }

    private static let deeds: [(weight: Int, value: [UInt8])] = [
        (40, [0x00, 0x09, 0x0C, 0x0D]), (10, [0x1C, 0x1D, 0x1E, 0x23, 0x24]), (25, [0x01, 0x11, 0x02, 0x12, 0x03, 0x13]),
        (8, [0x0E, 0x19, 0x0F, 0x1A]), (5, [0x04, 0x14]), (12, [0x05, 0x15, 0x06, 0x16]), (3, [0x0A, 0x0B]),
    ]

    /// The next valid request.
    ///
    /// - Parameter unique: gives the unique that a request compares with.
    public func next(_ random: inout RandomSource, unique: (Bytes) -> UInt64?) -> BinaryFrame {
        let code = random.pick(random.pick(weighted: Self.deeds))
        var frame = BinaryFrame(code, opaque: UInt32(truncatingIfNeeded: random.next()))
        guard let opcode = BinaryOpcode.named(code), opcode.deed.namesKey else { return frame }
        let joins = code == 0x0E || code == 0x19 || code == 0x0F || code == 0x1A
        let counts = [0x05, 0x15, 0x06, 0x16].contains(code)
        let numeric = requests.options.numbers > 0 && !joins && (counts || random.chance(15))
        frame.key = numeric
            ? requests.numberKey(random.below(requests.options.numbers)) : requests.textKey(random.below(requests.options.texts))
        switch opcode.shape {
        case .expiryAndKey: frame.extras.append(bigEndian: expiry(&random))
        case .flagsExpiryKeyValue:
            frame.extras.append(bigEndian: random.pick([0, 0, 1, 65536, UInt32.max]))
            frame.extras.append(bigEndian: expiry(&random))
            frame.value = numeric ? Bytes(random.pick(["0", "7", "99", "12345", "99999999"])) : text(&random)
        case .keyValue: frame.value = text(&random)
        case .numbersAndKey:
            frame.extras.append(bigEndian: random.pick([0, 1, 5, 1000, 100_000] as [UInt64]))
            frame.extras.append(bigEndian: random.pick([0, 9, 1_000_000] as [UInt64]))
            frame.extras.append(bigEndian: random.chance(40) ? UInt32.max : expiry(&random))
        default: break
        }
        if random.chance(counts ? 10 : 20), opcode.heedsUnique {
            let other = requests.options.unknownUnique
            frame.unique = random.chance(75) ? unique(frame.key) ?? other : other
        }
        return frame
    }

    /// A request that is refused, as bytes; most of them end the connection.
    public func wrong(_ random: inout RandomSource) -> Bytes {
        let key = requests.textKey(0)
        let code = random.pick(BinaryOpcode.all).code
        let get = BinaryFrame(0x00, key: key, opaque: 7).encoded(BinaryFrame.requestMagic)
        switch random.below(7) {
        case 0: return BinaryFrame(random.pick([0x1B, 0x30, 0x7F, 0xFF, 0x1F])).encoded(BinaryFrame.requestMagic)
        // The first byte of a connection chooses the protocol.
        case 1: return BinaryFrame(0x0A).encoded(BinaryFrame.requestMagic) + get.replacing(at: 0, by: [random.pick([0x00, 0x81, 0x67])])
        case 2: return get.replacing(at: 2, by: [0x00, UInt8(key.count + 1)]) + [0x78]
        case 3: return get.replacing(at: 8, by: [0x40, 0x00, 0x00, 0x01])
        case 4: return BinaryFrame(0x00, key: Bytes(repeating: 0x6C, count: 251)).encoded(BinaryFrame.requestMagic)
        case 5: return BinaryFrame(0x10, key: Bytes("nothing of that name")).encoded(BinaryFrame.requestMagic)
        // Extras of a length that no opcode has.
        default: return BinaryFrame(code, extras: [1, 2, 3], key: key).encoded(BinaryFrame.requestMagic)
        }
    }

    private func expiry(_ random: inout RandomSource) -> UInt32 {
        let short = requests.options.shortExpiries ? UInt32(1 + random.below(20)) : UInt32(requests.options.farExpiries.0)
        return random.pick(weighted: [(60, 0), (20, short), (15, UInt32(requests.options.farExpiries.1)), (3, 2_592_001), (2, .max)])
    }

    private func text(_ random: inout RandomSource) -> Bytes {
        let length = random.pick(weighted: [(10, 0), (70, random.below(60)), (20, random.below(3000))])
        return Bytes("v".utf8.prefix(length)) + (0..<max(0, length - 1)).map { _ in UInt8(random.below(256)) }
    }
}

extension BinaryOpcode.Deed {
    /// Whether a request of that kind has a key.
    fileprivate var namesKey: Bool {
        switch self {
        case .flush, .noOperation, .version, .quit, .stats: false
        default: true
        }
    }
}

extension BinaryOpcode {
    fileprivate var heedsUnique: Bool {
        switch deed {
        case .store, .count, .delete: true
        default: false
        }
    }
}

extension Array where Element == UInt8 {
    fileprivate func replacing(at index: Int, by bytes: Bytes) -> Bytes {
        var result = self
        result.replaceSubrange(index..<index + bytes.count, with: bytes)
        return result
    }
}
