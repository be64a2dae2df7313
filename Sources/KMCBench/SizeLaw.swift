// SPDX-License-Identifier: MIT

import Glibc

/// How long the keys or the values of a run are. A key's number decides, so that whoever reads knows what to expect.
public enum SizeLaw: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// All of one length.
    case fixed(Int)
    /// As in Facebook's pool ETC, the most varied of those in B. Atikoglu et al., "Workload Analysis of a Large-Scale
    /// Key-Value Store", SIGMETRICS 2012, section 5: keys by a generalized extreme value distribution, values by a
    /// generalized Pareto distribution with a table for those below 15 bytes.
    case etc
    /// As in the same paper's pool USR: keys of 16 or 21 bytes (half of each: the paper gives no share), 2-byte values.
    case usr

    public init(integerLiteral value: Int) {
        self = .fixed(value)
    }

    /// memcached protocol.txt, "Keys": at most 250 bytes; the digits that name a key need eight.
    static let keySizes = KeyName.size...250
    /// What ETC's law may draw; memcached's default takes items up to 1 MiB.
    private static let longestETCValue = 1 << 19

    /// Bytes of the key with this number.
    func keySize(_ number: UInt32) -> Int {
        switch self {
        case .fixed(let size): return size
        case .usr: return Self.draw(number, salt: 1) < 0.5 ? 16 : 21
        case .etc:
            let (location, scale, shape) = (30.7984, 8.20449, 0.078688)
            let size = location + scale * (pow(-log(Self.draw(number, salt: 2)), -shape) - 1) / shape
            return min(max(Int(size), Self.keySizes.lowerBound), Self.keySizes.upperBound)
        }
    }

    /// Bytes of the value of the key with this number.
    func valueSize(_ number: UInt32) -> Int {
        switch self {
        case .fixed(let size): return size
        case .usr: return 2
        case .etc:
            var left = Self.draw(number, salt: 3)
            for (size, share) in Self.smallETCValues.enumerated() {
                if left < share { return size }
                left -= share
            }
            let (location, scale, shape) = (15.0, 214.476, 0.348238)
            let size = location + scale * (pow(Self.draw(number, salt: 4), -shape) - 1) / shape
            return min(Int(size), Self.longestETCValue)
        }
    }

    /// The longest that keys, or values, get.
    var longestKey: Int { if case .fixed(let size) = self { size } else { Self.keySizes.upperBound } }
    var longestValue: Int { if case .fixed(let size) = self { size } else { Self.longestETCValue } }

    /// Shares of the values of 0 to 14 bytes.
    private static let smallETCValues = [
        0.00536, 0.00047, 0.17820, 0.09239, 0.00018, 0.02740, 0.00065, 0.00606, 0.00023, 0.00837, 0.00837, 0.08989,
        0.00092, 0.00326, 0.01980,
    ]

    /// More than 0 and less than 1, the same for the same key.
    private static func draw(_ number: UInt32, salt: UInt64) -> Double {
        var random = SplitMix64(seed: UInt64(number) << 8 | salt)
        return (Double(random.next() >> 11) + 0.5) / Double(1 << 53)
    }
}

extension SizeLaw: LosslessStringConvertible {
    /// Reads a number of bytes, `etc` and `usr`.
    public init?(_ description: String) {
        switch description {
        case "etc": self = .etc
        case "usr": self = .usr
        default:
            guard let size = Int(description) else { return nil }
            self = .fixed(size)
        }
    }

    public var description: String {
        switch self {
        case .fixed(let size): String(size)
        case .etc: "etc"
        case .usr: "usr"
        }
    }
}
