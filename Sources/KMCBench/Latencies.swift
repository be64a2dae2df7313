// SPDX-License-Identifier: MIT

/// A histogram of times in nanoseconds, exact to 0.1 %, as G. Tene's HdrHistogram has them: below 2048 each value has a
/// bucket, above each power of two is cut into 1024.
public struct Latencies: Sendable {
    private static let cutBits = 10
    /// Longer times count as this long: a minute.
    static let longest: UInt64 = 60_000_000_000
    static let buckets = bucket(longest) + 1

    private var counts = [UInt64](repeating: 0, count: buckets)
    public private(set) var max: UInt64 = 0
    public private(set) var totalCount: UInt64 = 0

    public init() {}

    /// Where a time is counted; at most `longest`.
    static func bucket(_ nanoseconds: UInt64) -> Int {
        let shift = 63 &- (nanoseconds | 1 << UInt64(cutBits)).leadingZeroBitCount &- cutBits
        return shift &<< cutBits &+ Int(truncatingIfNeeded: nanoseconds &>> UInt64(truncatingIfNeeded: shift))
    }

    /// The longest time that a bucket counts.
    private static func end(of bucket: Int) -> UInt64 {
        let shift = Swift.max((bucket >> cutBits) - 1, 0)
        return (UInt64(bucket - shift << cutBits) + 1) << UInt64(shift) - 1
    }

    public mutating func record(_ nanoseconds: UInt64, count: Int = 1) {
        let time = min(nanoseconds, Self.longest)
        add(UInt64(count), to: Self.bucket(time), longest: time)
    }

    private mutating func add(_ count: UInt64, to bucket: Int, longest time: UInt64) {
        counts[bucket] += count
        totalCount += count
        max = Swift.max(max, time)
    }

    mutating func add(_ other: Latencies) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
        totalCount += other.totalCount
        max = Swift.max(max, other.max)
    }

    /// Adds what a loop has counted in `buckets` counters of its own.
    mutating func add(_ loop: UnsafePointer<UInt64>, longest time: UInt64) {
        for bucket in counts.indices where loop[bucket] > 0 { add(loop[bucket], to: bucket, longest: time) }
    }

    /// The time within which `percentile` per cent of all were; 0 if there is none.
    public func valueAtPercentile(_ percentile: Double) -> UInt64 {
        guard totalCount > 0 else { return 0 }
        let wanted = UInt64((Double(totalCount) * percentile / 100).rounded(.up))
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= Swift.max(wanted, 1) { return min(Self.end(of: bucket), max) }
        }
        return max
    }
}
