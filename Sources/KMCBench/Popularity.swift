// SPDX-License-Identifier: MIT

import Glibc

/// How often each key is asked for.
public enum Popularity: Sendable, Equatable {
    /// All alike.
    case uniform
    /// The key of rank r in proportion to r to the power of -exponent.
    case zipf(Double)
}

extension Popularity: LosslessStringConvertible {
    /// Reads `uniform`, `zipf` (0.99) and `zipf:EXPONENT`.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("uniform", 1): self = .uniform
        case ("zipf", 1): self = .zipf(0.99)
        case ("zipf", 2):
            guard let exponent = Double(parts[1]), exponent > 0, exponent <= 10 else { return nil }
            self = .zipf(exponent)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .uniform: "uniform"
        case .zipf(let exponent): "zipf:\(exponent)"
        }
    }
}

/// Draws numbers of keys below `keys`.
struct KeyDraw {
    private let keys: UInt32
    private let zipf: ZipfDraw?
    private var random: SplitMix64

    init(_ popularity: Popularity, keys: Int, seed: UInt64) {
        self.keys = UInt32(keys)
        random = SplitMix64(seed: seed)
        if case .zipf(let exponent) = popularity { zipf = ZipfDraw(count: keys, exponent: exponent) } else { zipf = nil }
    }

    mutating func next() -> UInt32 {
        guard let zipf else { return UInt32.random(in: 0..<keys, using: &random) }
        // A prime step, so that popular keys are no neighbours: not in order of storing, nor in name.
        return UInt32(UInt64(zipf.rank(&random) - 1) * 2_654_435_761 % UInt64(keys))
    }
}

/// Ranks 1 to `count` by rejection-inversion: W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates
/// from monotone discrete distributions", 1996. No table, a constant time per draw.
struct ZipfDraw {
    private let count: Double
    private let exponent: Double
    private let first: Double
    private let last: Double
    private let squeeze: Double

    init(count: Int, exponent: Double) {
        self.count = Double(count)
        self.exponent = exponent
        first = Self.area(1.5, exponent) - 1
        last = Self.area(Double(count) + 0.5, exponent)
        squeeze = 2 - Self.place(Self.area(2.5, exponent) - pow(2, -exponent), exponent)
    }

    func rank(_ random: inout SplitMix64) -> Int {
        while true {
            let drawn = last + Double.random(in: 0..<1, using: &random) * (first - last)
            let place = Self.place(drawn, exponent)
            let rank = min(max(place.rounded(), 1), count)
            if rank - place <= squeeze || drawn >= Self.area(rank + 0.5, exponent) - pow(rank, -exponent) {
                return Int(rank)
            }
        }
    }

    /// The integral of x to the power of -exponent, and its inverse.
    private static func area(_ x: Double, _ exponent: Double) -> Double {
        exponent == 1 ? log(x) : (pow(x, 1 - exponent) - 1) / (1 - exponent)
    }

    private static func place(_ area: Double, _ exponent: Double) -> Double {
        exponent == 1 ? exp(area) : pow(max(1 + area * (1 - exponent), .leastNonzeroMagnitude), 1 / (1 - exponent))
    }
}
