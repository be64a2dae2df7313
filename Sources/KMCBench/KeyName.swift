// SPDX-License-Identifier: MIT

/// The eight hexadecimal digits that end a key, first digit in the lowest byte, so that one store writes them.
///
/// A key's value follows from it: the digits themselves, then a run of the pool that starts where the digits say.
struct KeyName: BitwiseCopyable, Equatable {
    /// Bytes of the digits in a key, and in a value that has room for them.
    static let size = 8

    let digits: UInt64

    /// Names the key with this number.
    init(_ number: UInt32) {
        let bytes = UInt64(number.byteSwapped)
        let halves = (bytes | bytes &<< 16) & 0x0000_FFFF_0000_FFFF
        let lanes = (halves | halves &<< 8) & 0x00FF_00FF_00FF_00FF
        let nibbles = ((lanes &>> 4) & 0x000F_000F_000F_000F) | ((lanes & 0x000F_000F_000F_000F) &<< 8)
        let letters = ((nibbles &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        digits = (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).littleEndian
    }

    /// Where this key's value starts in the pool.
    var poolOffset: Int {
        Int(truncatingIfNeeded: (digits.littleEndian &* 0x9E37_79B9_7F4A_7C15) &>> UInt64(64 - Pool.spreadBits))
    }

    /// Writes the digits at `place`, which needs no alignment.
    func write(at place: UnsafeMutableRawPointer) {
        place.storeBytes(of: digits, as: UInt64.self)
    }
}

/// The bytes that values are cut from: any byte, CR LF among them, as clients' values have.
enum Pool {
    /// Values start at one of `1 << spreadBits` places.
    static let spreadBits = 12

    /// Allocates a pool for values of `valueSize` bytes; the caller frees it.
    static func allocate(valueSize: Int) -> UnsafeMutableRawPointer {
        let words = ((1 << spreadBits) + valueSize) / 8 + 1
        let pool = UnsafeMutableRawPointer.allocate(byteCount: words * 8, alignment: 16)
        var random = SplitMix64(seed: 0x6B6D_6361_6368_65)
        for word in 0..<words {
            pool.storeBytes(of: random.next(), toByteOffset: word * 8, as: UInt64.self)
        }
        return pool
    }
}

/// Steele, Lea and Flood's generator: the same on every machine and in every run.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }
}
