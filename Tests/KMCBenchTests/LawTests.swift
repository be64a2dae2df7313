// SPDX-License-Identifier: MIT

import Glibc
import Testing

@testable import KMCBench

struct LawTests {
    private static let many: Range<UInt32> = 0..<50_000

    private static func mean(_ sizes: [Int]) -> Double { Double(sizes.reduce(0, +)) / Double(sizes.count) }

    /// Means of the distributions that the paper names: keys 30.8 + 8.2 (Gamma(1 - k) - 1) / k, values by its table.
    @Test func etcHasThePublishedMeans() {
        let keys = Self.many.map { SizeLaw.etc.keySize($0) }
        let values = Self.many.map { SizeLaw.etc.valueSize($0) }
        #expect((34...37).contains(Self.mean(keys)))
        #expect(keys.allSatisfy { (8...250).contains($0) })
        // 41.8 % of the values are below 15 bytes; the others are 15 bytes and a Pareto's mean of 329 more, less its tail.
        #expect((170...240).contains(Self.mean(values)))
        let twos = values.count { $0 == 2 }
        #expect((0.170...0.187).contains(Double(twos) / Double(values.count)))
        #expect(values.max()! > 5_000)
    }

    @Test func usrHasTwoLengthsOfKeysAndOneOfValues() {
        #expect(Set(Self.many.map { SizeLaw.usr.keySize($0) }) == [16, 21])
        #expect(Set(Self.many.map { SizeLaw.usr.valueSize($0) }) == [2])
    }

    @Test func zipfDrawsTheFirstRankAsOftenAsItShould() {
        for exponent in [0.99, 1.0, 1.5] {
            let draw = ZipfDraw(count: 1000, exponent: exponent)
            var random = SplitMix64(seed: 7)
            var counts = [Int](repeating: 0, count: 1001)
            for _ in 0..<200_000 { counts[draw.rank(&random)] += 1 }
            let weights = (1...1000).map { pow(Double($0), -exponent) }
            let whole = weights.reduce(0, +)
            for rank in [1, 2, 10] {
                let wanted = 200_000 * weights[rank - 1] / whole
                #expect(abs(Double(counts[rank]) - wanted) < 6 * wanted.squareRoot(), "\(exponent) \(rank)")
            }
            #expect(counts[0] == 0)
        }
    }

    @Test func everyKeyCanBeDrawn() {
        for popularity in [Popularity.uniform, .zipf(0.99)] {
            var draw = KeyDraw(popularity, keys: 10, seed: 3)
            #expect(Set((0..<5_000).map { _ in draw.next() }) == Set(0..<10))
        }
    }
}

struct LatencyTests {
    @Test func percentilesAreExactToOneInAThousand() {
        var latencies = Latencies()
        for time in 1...100_000 as ClosedRange<UInt64> { latencies.record(time * 1000) }
        for (percentile, wanted) in [(50.0, 50e6), (99, 99e6), (99.9, 99.9e6)] {
            let value = Double(latencies.valueAtPercentile(percentile))
            #expect(value >= wanted && value < wanted * 1.001)
        }
        #expect(latencies.max == 100_000_000)
        #expect(latencies.valueAtPercentile(100) == 100_000_000)
        #expect(latencies.totalCount == 100_000)
    }

    @Test(arguments: [0, 1, 2047, 2048, 2049, 4095, 4096, 1_000_000, Latencies.longest, .max] as [UInt64])
    func aSingleTimeIsItsOwnPercentile(time: UInt64) {
        var latencies = Latencies()
        latencies.record(time)
        #expect(latencies.valueAtPercentile(50) == min(time, Latencies.longest))
    }

    @Test func bucketsFollowWithoutGap() {
        for time in 1...200_000 as ClosedRange<UInt64> {
            #expect((0...1).contains(Latencies.bucket(time) - Latencies.bucket(time - 1)))
        }
    }

    @Test func nothingHasNoPercentile() {
        #expect(Latencies().valueAtPercentile(50) == 0)
    }
}
