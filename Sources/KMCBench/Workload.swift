// SPDX-License-Identifier: MIT

/// One kind of load: which requests, over which keys, how many of them in flight on a connection.
public struct Workload: Sendable, Equatable {
    public var mix: Mix
    /// Number of distinct keys.
    public var keys: Int
    /// Bytes of a key: the last eight name it, in hexadecimal.
    public var keySize: Int
    /// Bytes of a value; the bytes themselves follow from the key.
    public var valueSize: Int
    /// Keys in one request of `Mix.mget`.
    public var keysPerGet: Int
    /// Requests in one batch: a connection sends them with one call and then waits for all replies.
    public var depth: Int
    /// Compare every value that is read with what its key says it must be.
    public var verify: Bool
    /// Start of the sequence of keys; the same seed gives the same requests.
    public var seed: UInt64

    public init(
        mix: Mix = .get, keys: Int = 10_000, keySize: Int = 16, valueSize: Int = 32, keysPerGet: Int = 24,
        depth: Int = 1, verify: Bool = true, seed: UInt64 = 1
    ) {
        self.mix = mix
        self.keys = keys
        self.keySize = keySize
        self.valueSize = valueSize
        self.keysPerGet = keysPerGet
        self.depth = depth
        self.verify = verify
        self.seed = seed
    }

    /// A sentence about the first setting that is out of range, or nil.
    public var complaint: String? {
        // memcached protocol.txt, "Keys": at most 250 bytes.
        if !(8...250).contains(keySize) { return "a key has 8 to 250 bytes, not \(keySize)" }
        if !(0...(1 << 30)).contains(valueSize) { return "a value has 0 to 1073741824 bytes, not \(valueSize)" }
        if !(1...(1 << 26)).contains(keys) { return "there can be 1 to 67108864 keys, not \(keys)" }
        if !(1...10_000).contains(keysPerGet) { return "a get has 1 to 10000 keys here, not \(keysPerGet)" }
        if !(1...10_000).contains(depth) { return "1 to 10000 requests can be in flight, not \(depth)" }
        return nil
    }

    /// The keys that one request names.
    var keysPerRequest: Int { mix == .mget ? keysPerGet : 1 }
}
