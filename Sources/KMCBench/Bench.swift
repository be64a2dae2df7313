// SPDX-License-Identifier: MIT

import Glibc

/// A closed-loop run of one workload against one endpoint.
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
    /// Requests, over all connections, before the measurement starts.
    public var warmup: Int

    /// Seconds without a reply after which a run fails.
    private static let patience = 30

    public init(
        endpoint: Endpoint, workload: Workload, connections: Int = 1, threads: Int = 1,
        limit: Limit = .requests(10_000), warmup: Int = 0
    ) {
        self.endpoint = endpoint
        self.workload = workload
        self.connections = connections
        self.threads = threads
        self.limit = limit
        self.warmup = warmup
    }

    /// A sentence about the first setting that is out of range, or nil.
    public var complaint: String? {
        if !(1...65_536).contains(connections) { return "there can be 1 to 65536 connections, not \(connections)" }
        if !(1...connections).contains(threads) { return "each thread needs a connection: 1 to \(connections) threads" }
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
        filling.workload.depth = max(1, min(32, (256 << 10) / (workload.valueSize + 1)))
        filling.connections = 1
        filling.threads = 1
        filling.warmup = 0
        filling.limit = .requests(workload.keys)
        let report = try filling.run(order: .sequential) { _, _ in }
        guard report.isClean else {
            throw BenchFailure("the server refused \(report.errors) of \(workload.keys) values to begin with")
        }
    }

    /// Runs and reports. `progress` is called about once a second with the requests answered and the seconds so far.
    public func run(progress: (Int, Int) -> Void = { _, _ in }) throws(BenchFailure) -> Report {
        try run(order: .random, progress: progress)
    }

    private func run(order: Plan.Order, progress: (Int, Int) -> Void) throws(BenchFailure) -> Report {
        if let complaint { throw BenchFailure(complaint) }
        let plan = Plan(workload, order: order)
        let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        defer { barrier.deallocate() }
        pthread_barrier_init(barrier, nil, UInt32(threads))
        let crew = shares(try connect()).map { LoadThread(plan, $0, barrier: barrier) }
        for thread in crew { try thread.start() }
        let stalled = watch(crew, progress)
        pthread_barrier_destroy(barrier)
        if stalled { throw BenchFailure("the server has not answered for \(Self.patience) seconds") }
        return try Self.sum(crew)
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
    private func shares(_ sockets: [Socket]) -> [LoadThread.Share] {
        func part(_ whole: Int, _ index: Int) -> Int { whole / threads + (index < whole % threads ? 1 : 0) }
        // Connections ask for different keys at a time: a prime step through the schedule.
        let firsts = sockets.indices.map { $0 * 7919 + 1 }
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
                warmup: part(warmup, thread), requests: requests, nanoseconds: nanoseconds)
        }
    }

    /// Waits for the threads; true if they had to be interrupted because nothing came.
    private func watch(_ crew: [LoadThread], _ progress: (Int, Int) -> Void) -> Bool {
        var last = 0
        var quiet = 0
        var seconds = 0
        var stalled = false
        for thread in crew {
            while !thread.join(milliseconds: 1000) {
                seconds += 1
                let done = crew.reduce(0) { $0 + $1.progress }
                quiet = done == last ? quiet + 1 : 0
                last = done
                progress(done, seconds)
                if quiet >= Self.patience && !stalled {
                    stalled = true
                    crew.forEach { $0.interrupt() }
                }
            }
        }
        return stalled
    }

    private static func sum(_ crew: [LoadThread]) throws(BenchFailure) -> Report {
        var report = Report()
        for thread in crew {
            if let failure = thread.failure { throw failure }
            report.add(thread.outcome)
        }
        let start = crew.map(\.started).min() ?? 0
        report.nanoseconds = (crew.map(\.ended).max() ?? 0) - start
        return report
    }
}
