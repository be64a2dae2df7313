// SPDX-License-Identifier: MIT

import Glibc

/// A run of one workload against one endpoint: a closed loop, or, with a rate, an open one.
public struct Bench: Sendable {
    /// When a run ends.
    public enum Limit: Sendable, Equatable {
        case requests(Int)
        case seconds(Double)
    }

    public var endpoint: Endpoint
    public var workload: Workload
    public var connections: Int
    public var threads: Int
    public var limit: Limit
    /// Requests per second, over all connections, that are sent whether or not earlier ones are answered; nil sends the
    /// next batch when the one before is answered.
    public var rate: Double?
    /// Requests, over all connections, before the measurement starts.
    public var warmup: Int

    public init(
        endpoint: Endpoint, workload: Workload, connections: Int = 1, threads: Int = 1,
        limit: Limit = .requests(10_000), rate: Double? = nil, warmup: Int = 0
    ) {
        self.endpoint = endpoint
        self.workload = workload
        self.connections = connections
        self.threads = threads
        self.limit = limit
        self.rate = rate
        self.warmup = warmup
    }

    /// A sentence about the first setting that is out of range, or nil.
    public var complaint: String? {
        if !(1...65_536).contains(connections) { return "there can be 1 to 65536 connections, not \(connections)" }
        if !(1...connections).contains(threads) { return "each thread needs a connection: 1 to \(connections) threads" }
        if let rate, !(rate > 0 && rate <= 1e9) { return "a rate is more than 0, up to 1000000000 requests per second" }
        if warmup < 0 { return "the warm-up cannot be less than nothing" }
        switch limit {
        case .requests(let count) where count < 0: return "the number of operations cannot be negative"
        case .seconds(let seconds) where !(seconds > 0 && seconds <= 1e6): return "seconds are more than 0, up to 1000000"
        default: return workload.complaint
        }
    }

    /// Stores every key of the workload once, over one connection.
    public func fill() throws(BenchFailure) {
        var filling = self
        filling.workload.mix = .set
        filling.workload.depth = endpoint.isDatagram
            ? 1 : max(1, min(32, (256 << 10) / (workload.valueSize.longestValue + 1)))
        filling.connections = 1
        filling.threads = 1
        filling.warmup = 0
        filling.rate = nil
        filling.limit = .requests(workload.keys)
        let report = try filling.run(order: .sequential, stop: { false }, progress: { _, _ in })
        guard report.isClean, report.lost == 0 else {
            throw BenchFailure("the server refused \(report.errors + report.lost) of \(workload.keys) values to begin with")
        }
    }

    /// Runs and reports. `progress` is called about once a second with the requests answered and the seconds so far.
    /// Once `stop` says true, no further request is sent, and the report is about what was.
    public func run(
        stop: () -> Bool = { false }, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(BenchFailure) -> Report {
        try run(order: .random, stop: stop, progress: progress)
    }

    private func run(
        order: Plan.Order, stop: () -> Bool, progress: (Int, Int) -> Void
    ) throws(BenchFailure) -> Report {
        if let complaint { throw BenchFailure(complaint) }
        let plan = Plan(workload, order: order, framed: endpoint.isDatagram)
        let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        defer { barrier.deallocate() }
        pthread_barrier_init(barrier, nil, UInt32(threads))
        let crew = shares(try connect(), order).map { LoadThread(plan, $0, barrier: barrier) }
        for thread in crew { try thread.start() }
        var watcher = Watcher(crew)
        watcher.watch(stop, progress)
        pthread_barrier_destroy(barrier)
        if watcher.stalled && !watcher.stopped {
            throw BenchFailure("the server has not answered for \(Watcher.patience) seconds")
        }
        return try Self.sum(crew, rate: rate, failing: !watcher.stopped)
    }

    private func connect() throws(BenchFailure) -> [Socket] {
        var sockets: [Socket] = []
        do throws(BenchFailure) {
            for _ in 0..<connections { sockets.append(try Socket(connectingTo: endpoint)) }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    /// Deals connections and requests out to the threads; the first ones get what does not divide.
    private func shares(_ sockets: [Socket], _ order: Plan.Order) -> [LoadThread.Share] {
        func part(_ whole: Int, _ index: Int) -> Int { whole / threads + (index < whole % threads ? 1 : 0) }
        // Connections ask for different keys at a time: a prime step through the schedule.
        let firsts = sockets.indices.map { order == .sequential ? 0 : $0 * 7919 + 1 }
        // In an open loop each connection has a batch due once in this time, the threads' in turn.
        let interval = rate.map { Double(connections * workload.depth) * 1e9 / $0 } ?? 0
        return (0..<threads).map { thread in
            let mine = stride(from: thread, to: connections, by: threads)
            var requests = Int.max
            var nanoseconds: UInt64?
            switch limit {
            case .requests(let count): requests = part(count, thread)
            case .seconds(let seconds): nanoseconds = UInt64(seconds * 1e9)
            }
            return LoadThread.Share(
                connections: mine.map { sockets[$0] }, firsts: mine.map { firsts[$0] },
                warmup: part(warmup, thread), requests: requests, nanoseconds: nanoseconds,
                interval: rate == nil ? 0 : max(UInt64(interval), 1),
                delay: UInt64(interval) * UInt64(thread) / UInt64(connections))
        }
    }

    private static func sum(_ crew: [LoadThread], rate: Double?, failing: Bool) throws(BenchFailure) -> Report {
        var report = Report()
        report.rate = rate
        for thread in crew {
            if failing, let failure = thread.failure { throw failure }
            report.add(thread.outcome)
        }
        let start = crew.map(\.started).min() ?? 0
        report.nanoseconds = max(crew.map(\.ended).max() ?? 0, start) - start
        return report
    }
}
