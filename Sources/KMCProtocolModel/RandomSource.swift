// SPDX-License-Identifier: MIT

/// Numbers that depend on a seed and nothing else (SplitMix64, Steele, Lea and Flood 2014), so that a failure can be
/// had again from the seed that was printed with it.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is above zero.
    public mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self)
    }

    /// True in `percent` of a hundred cases.
    public mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    public mutating func pick<T>(_ choices: [T]) -> T {
        choices[below(choices.count)]
    }

    /// One of the choices, each as often as its weight says.
    public mutating func pick<T>(weighted choices: [(weight: Int, value: T)]) -> T {
        var left = below(choices.reduce(0) { $0 + $1.weight })
        for choice in choices {
            left -= choice.weight
            if left < 0 { return choice.value }
        }
        return choices[choices.count - 1].value
    }

    /// `bytes` cut into pieces of one byte up to `longest`, none empty.
    public mutating func split(_ bytes: Bytes, longest: Int) -> [Bytes] {
        var pieces: [Bytes] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 + below(Swift.max(1, longest)))
            pieces.append(Bytes(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}
