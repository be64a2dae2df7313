// SPDX-License-Identifier: MIT

/// What a run showed.
public struct Report: Sendable {
    /// Replies that came, and the keys that their requests named.
    public internal(set) var requests = 0
    public internal(set) var keys = 0
    /// Values that came and are right (not compared if the workload says so), and keys without a value.
    public internal(set) var hits = 0
    public internal(set) var misses = 0
    /// Values that are not their key's.
    public internal(set) var wrong = 0
    /// Replies that say an error.
    public internal(set) var errors = 0
    /// From the common start to the last reply.
    public internal(set) var nanoseconds: UInt64 = 0
    /// Nanoseconds from a request's sending to its reply, per request; in an open loop from when it was due.
    public internal(set) var latencies = Latencies()
    /// Requests over UDP that were not answered in time.
    public internal(set) var lost = 0
    /// The rate of an open loop, and the requests that were due but never sent because their connection waited.
    public internal(set) var rate: Double?
    public internal(set) var unsent = 0

    /// Whether each reply was a right one; a miss is one too.
    public var isClean: Bool { wrong == 0 && errors == 0 }

    public var requestsPerSecond: Double { Self.rate(requests, nanoseconds) }
    public var keysPerSecond: Double { Self.rate(keys, nanoseconds) }
    /// Under icount, where the clock counts them: instructions per request of client, server and kernel together.
    public var nanosecondsPerRequest: Double { requests == 0 ? 0 : Double(nanoseconds) / Double(requests) }

    private static func rate(_ count: Int, _ nanoseconds: UInt64) -> Double {
        nanoseconds == 0 ? 0 : Double(count) * 1e9 / Double(nanoseconds)
    }

    /// Adds what another thread saw at the same time.
    mutating func add(_ other: Report) {
        requests += other.requests
        keys += other.keys
        hits += other.hits
        misses += other.misses
        wrong += other.wrong
        errors += other.errors
        lost += other.lost
        unsent += other.unsent
        latencies.add(other.latencies)
    }

    mutating func add(_ tally: Tally) {
        requests += tally.requests
        keys += tally.keys
        hits += tally.hits
        misses += tally.misses
        wrong += tally.wrong
        errors += tally.errors
        lost += tally.lost
    }
}

extension Report {
    /// One row of the summary.
    private typealias Row = (name: String, value: String, sentence: String)

    private var rows: [Row] {
        let percentiles: [Row] = [("p50", 50.0), ("p99", 99.0), ("p999", 99.9)].map { name, percentile in
            (name + "_us", fixed(Double(latencies.valueAtPercentile(percentile)) / 1000, 1), "\(percentile) % within, us")
        }
        return [
            ("requests", String(requests), "requests"),
            ("keys", String(keys), "keys"),
            ("seconds", fixed(Double(nanoseconds) / 1e9, 6), "seconds"),
            ("requests_per_second", fixed(requestsPerSecond, 1), "requests/s"),
            ("keys_per_second", fixed(keysPerSecond, 1), "keys/s"),
            ("ns_per_request", fixed(nanosecondsPerRequest, 1), "ns per request, all connections together"),
        ] + percentiles + [
            ("max_us", fixed(Double(latencies.max) / 1000, 1), "slowest, us"),
            ("hits", String(hits), "hits"),
            ("misses", String(misses), "misses"),
            ("wrong", String(wrong), "wrong values"),
            ("errors", String(errors), "errors"),
        ] + (lost > 0 ? [("lost", String(lost), "requests without an answer")] : []) + openRows
    }

    private var openRows: [Row] {
        guard let rate else { return [] }
        return [
            ("rate", fixed(rate, 1), "requests/s were due; times count from when each was"),
            ("unsent", String(unsent), "requests that were due and not sent"),
        ]
    }

    /// The report as one JSON object: numbers only.
    public var json: String {
        "{" + rows.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ") + "}"
    }

    /// The report as lines for a person.
    public var text: String {
        let width = rows.map(\.value.count).max() ?? 0
        return rows.map { String(repeating: " ", count: width - $0.value.count) + $0.value + "  " + $0.sentence }
            .joined(separator: "\n")
    }
}

/// `value`, not negative, with `places` decimals.
func fixed(_ value: Double, _ places: Int) -> String {
    let scale = (0..<places).reduce(1) { power, _ in power * 10 }
    let scaled = Int((value * Double(scale)).rounded())
    guard places > 0 else { return String(scaled) }
    let fraction = String(scaled % scale)
    return String(scaled / scale) + "." + String(repeating: "0", count: places - fraction.count) + fraction
}
