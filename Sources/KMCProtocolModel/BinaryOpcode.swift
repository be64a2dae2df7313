// SPDX-License-Identifier: MIT

/// What an opcode of the binary protocol asks for.
public struct BinaryOpcode: Sendable {
    public enum Deed: Sendable {
        case get, getKey, touch, getAndTouch, getKeyAndTouch, store(StoreMode), count(Arithmetic.Direction)
        case delete, flush, noOperation, version, quit, stats
    }

    /// Which of extras, key and value a request has.
    enum Shape: Sendable {
        case nothing, key, expiryAndKey, flagsExpiryKeyValue, keyValue, numbersAndKey, maybeExpiry, maybeKey
    }

    public let code: UInt8
    public let deed: Deed
    /// Success isn't told, nor a miss of a retrieval.
    public let isQuiet: Bool
    let shape: Shape

    private init(_ code: UInt8, _ deed: Deed, _ shape: Shape, quiet: Bool = false) {
        self.code = code
        self.deed = deed
        self.shape = shape
        isQuiet = quiet
    }

    /// All that memcached knows without SASL; `verbosity` (1b) is in protocol_binary.h alone.
    public static let all: [BinaryOpcode] = [
        .init(0x00, .get, .key), .init(0x09, .get, .key, quiet: true),
        .init(0x0C, .getKey, .key), .init(0x0D, .getKey, .key, quiet: true),
        .init(0x01, .store(.set), .flagsExpiryKeyValue), .init(0x11, .store(.set), .flagsExpiryKeyValue, quiet: true),
        .init(0x02, .store(.add), .flagsExpiryKeyValue), .init(0x12, .store(.add), .flagsExpiryKeyValue, quiet: true),
        .init(0x03, .store(.replace), .flagsExpiryKeyValue), .init(0x13, .store(.replace), .flagsExpiryKeyValue, quiet: true),
        .init(0x0E, .store(.append), .keyValue), .init(0x19, .store(.append), .keyValue, quiet: true),
        .init(0x0F, .store(.prepend), .keyValue), .init(0x1A, .store(.prepend), .keyValue, quiet: true),
        .init(0x04, .delete, .key), .init(0x14, .delete, .key, quiet: true),
        .init(0x05, .count(.incr), .numbersAndKey), .init(0x15, .count(.incr), .numbersAndKey, quiet: true),
        .init(0x06, .count(.decr), .numbersAndKey), .init(0x16, .count(.decr), .numbersAndKey, quiet: true),
        .init(0x07, .quit, .nothing), .init(0x17, .quit, .nothing, quiet: true),
        .init(0x08, .flush, .maybeExpiry), .init(0x18, .flush, .maybeExpiry, quiet: true),
        .init(0x0A, .noOperation, .nothing), .init(0x0B, .version, .nothing), .init(0x10, .stats, .maybeKey),
        .init(0x1C, .touch, .expiryAndKey),
        .init(0x1D, .getAndTouch, .expiryAndKey), .init(0x1E, .getAndTouch, .expiryAndKey, quiet: true),
        .init(0x23, .getKeyAndTouch, .expiryAndKey), .init(0x24, .getKeyAndTouch, .expiryAndKey, quiet: true),
    ]

    private static let table = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

    public static func named(_ code: UInt8) -> BinaryOpcode? {
        table[code]
    }

    /// Whether a value of any length follows the key.
    var hasValue: Bool { shape == .flagsExpiryKeyValue || shape == .keyValue }

    /// Whether a value may stand there that nobody reads: memcached takes it for the next request.
    private var toleratesValue: Bool { shape == .expiryAndKey || shape == .maybeKey }

    /// Whether a request's lengths, which don't contradict each other, are the opcode's.
    ///
    /// - Parameter strict: whether a value that isn't the opcode's is refused wherever it stands.
    func fits(_ header: BinaryHeader, strict: Bool) -> Bool {
        let isExact = header.bodyLength == header.headLength || hasValue || toleratesValue && !strict
        return isExact && extrasLengths.contains(header.extrasLength) && (header.keyLength > 0 ? hasKey : !needsKey)
    }

    private var extrasLengths: Set<Int> {
        switch shape {
        case .nothing, .key, .keyValue, .maybeKey: [0]
        case .expiryAndKey: [4]
        case .flagsExpiryKeyValue: [8]
        case .numbersAndKey: [20]
        case .maybeExpiry: [0, 4]
        }
    }

    private var hasKey: Bool { shape != .nothing && shape != .maybeExpiry }
    private var needsKey: Bool { hasKey && shape != .maybeKey }
}

/// What a reply's status says, and the words of it.
public enum BinaryStatus: UInt16, Sendable, CaseIterable {
    case success = 0x00, notFound = 0x01, exists = 0x02, tooLarge = 0x03, invalid = 0x04, notStored = 0x05, nonNumeric = 0x06
    case refused = 0x20, unknown = 0x81, outOfMemory = 0x82

    var text: String {
        switch self {
        case .success: ""
        case .notFound: "Not found"
        case .exists: "Data exists for key."
        case .tooLarge: "Too large."
        case .invalid: "Invalid arguments"
        case .notStored: "Not stored."
        case .nonNumeric: "Non-numeric server-side value for incr or decr"
        case .refused: "Auth failure."
        case .unknown: "Unknown command"
        case .outOfMemory: "Out of memory allocating item"
        }
    }
}
