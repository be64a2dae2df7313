// SPDX-License-Identifier: MIT

/// Which of memcached's protocols the requests are written in.
public enum Dialect: String, Sendable, CaseIterable, BitwiseCopyable {
    case text, binary
}

/// One kind of load: which requests, over which keys, how many of them in flight on a connection.
public struct Workload: Sendable, Equatable {
    public var mix: Mix
    public var dialect: Dialect
    /// Number of distinct keys.
    public var keys: Int
    public var popularity: Popularity
    /// Bytes of a key: the last eight name it, in hexadecimal.
    public var keySize: SizeLaw
    /// Bytes of a value; the bytes themselves follow from the key.
    public var valueSize: SizeLaw
    /// Keys in one request of `Mix.mget`.
    public var keysPerGet: Int
    /// Requests in one batch: a connection sends them with one call and then waits for all replies.
    public var depth: Int
    /// Compare every value that is read with what its key says it must be.
    public var verify: Bool
    /// Start of the sequence of keys; the same seed gives the same requests.
    public var seed: UInt64

    public init(
        mix: Mix = .get, dialect: Dialect = .text, keys: Int = 10_000, popularity: Popularity = .uniform,
        keySize: SizeLaw = 16, valueSize: SizeLaw = 32, keysPerGet: Int = 24, depth: Int = 1, verify: Bool = true,
        seed: UInt64 = 1
    ) {
        self.mix = mix
        self.dialect = dialect
        self.keys = keys
        self.popularity = popularity
        self.keySize = keySize
        self.valueSize = valueSize
        self.keysPerGet = keysPerGet
        self.depth = depth
        self.verify = verify
        self.seed = seed
    }

    /// A sentence about the first setting that is out of range, or nil.
    public var complaint: String? {
        if case .fixed(let size) = keySize, !SizeLaw.keySizes.contains(size) {
            return "a key has 8 to 250 bytes, not \(size)"
        }
        if case .fixed(let size) = valueSize, !(0...(1 << 30)).contains(size) {
            return "a value has 0 to 1073741824 bytes, not \(size)"
        }
        if !(1...(1 << 26)).contains(keys) { return "there can be 1 to 67108864 keys, not \(keys)" }
        if !(1...10_000).contains(keysPerGet) { return "a get has 1 to 10000 keys here, not \(keysPerGet)" }
        if !(1...10_000).contains(depth) { return "1 to 10000 requests can be in flight, not \(depth)" }
        if dialect == .binary && (mix == .mg || mix == .mget) { return "\(mix) is for the text protocol" }
        return nil
    }

    /// The keys that one request names.
    var keysPerRequest: Int { mix == .mget ? keysPerGet : 1 }

    /// What the request with this number on its connection does.
    func action(_ number: Int) -> Action {
        switch mix {
        case .get, .mget: .get
        case .mg: .mg
        case .set: .set
        case .mixed(let gets): number % (gets + 1) == 0 ? .set : .get
        }
    }
}

/// What one request does.
enum Action: BitwiseCopyable {
    case get, mg, set
}
