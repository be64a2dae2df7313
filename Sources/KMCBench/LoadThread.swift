// SPDX-License-Identifier: MIT

import Glibc
import Synchronization

/// A thread with its share of the connections. The thread alone touches them from `start` to `join`; the watcher uses
/// only `signals`, and shuts sockets down.
final class LoadThread {
    /// What this thread is to send.
    struct Share {
        let connections: [Socket]
        /// Schedule position of each connection's first request.
        let firsts: [Int]
        let warmup: Int
        let requests: Int
        let nanoseconds: UInt64?
        /// Nanoseconds between two batches of one connection, and the first one's delay; 0 for a closed loop.
        let interval: UInt64
        let delay: UInt64
    }

    private let plan: Plan
    private let share: Share
    private let barrier: UnsafeMutablePointer<pthread_barrier_t>
    private let connections: UnsafeMutableBufferPointer<Connection>
    private let signals: UnsafeMutablePointer<Signals>
    private let finished: UnsafeMutablePointer<sem_t>
    private var thread = pthread_t()

    /// What came of it, valid after `join`.
    private(set) var outcome = Report()
    private(set) var failure: BenchFailure?
    private(set) var started: UInt64 = 0
    private(set) var ended: UInt64 = 0

    /// Takes the sockets over. `barrier` must outlive the thread.
    init(_ plan: Plan, _ share: Share, barrier: UnsafeMutablePointer<pthread_barrier_t>) {
        self.plan = plan
        self.share = share
        self.barrier = barrier
        connections = .allocate(capacity: share.connections.count)
        for (index, socket) in share.connections.enumerated() {
            let exchange = Exchange(plan, first: share.firsts[index])
            connections.initializeElement(at: index, to: Connection(socket, exchange))
        }
        signals = .allocate(capacity: 1)
        signals.initialize(to: Signals())
        finished = .allocate(capacity: 1)
        sem_init(finished, 0, 0)
    }

    deinit {
        for connection in connections {
            connection.socket.close()
            connection.exchange.deallocate()
        }
        connections.deallocate()
        signals.deinitialize(count: 1)
        signals.deallocate()
        sem_destroy(finished)
        finished.deallocate()
    }

    /// Requests answered so far, warm-up included.
    var progress: Int { signals.pointee.done.load(ordering: .relaxed) }

    func start() throws(BenchFailure) {
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, { context in
            Unmanaged<LoadThread>.fromOpaque(context!).takeRetainedValue().work()
            return nil
        }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw BenchFailure("cannot start a thread", errno: code)
        }
    }

    /// Waits up to `milliseconds` for the end, less if a signal comes; true once the thread has ended. After that it
    /// must not be called again.
    func join(milliseconds: Int) -> Bool {
        var limit = timespec()
        clock_gettime(CLOCK_REALTIME, &limit)
        let nanoseconds = limit.tv_nsec + milliseconds * 1_000_000
        limit.tv_sec += nanoseconds / 1_000_000_000
        limit.tv_nsec = nanoseconds % 1_000_000_000
        guard sem_timedwait(finished, &limit) == 0 else { return false }
        pthread_join(thread, nil)
        return true
    }

    /// Lets the thread end once what it has sent is answered, from another thread.
    func stop() {
        signals.pointee.stop.store(true, ordering: .relaxed)
    }

    /// Makes the thread end with a failure, from another thread.
    func interrupt() {
        for socket in share.connections { socket.shutDown() }
    }

    private func work() {
        var reachedBarrier = false
        do throws(BenchFailure) {
            var loop = try LoadLoop(connections, signals)
            if share.warmup > 0 { try loop.run(requests: share.warmup) }
            loop.forget()
            pthread_barrier_wait(barrier)
            reachedBarrier = true
            // What was measured until a failure counts for whoever interrupted the run.
            defer { outcome.latencies = loop.measured }
            started = monotonicNanoseconds()
            defer { ended = monotonicNanoseconds() }
            let deadline = share.nanoseconds.map { started + $0 } ?? .max
            if share.interval > 0 {
                outcome.unsent = try loop.runOpen(
                    requests: share.requests, until: deadline, interval: share.interval,
                    start: started + share.delay, depth: plan.workload.depth)
            } else {
                try loop.run(requests: share.requests, until: deadline)
            }
        } catch {
            failure = error
            if !reachedBarrier { pthread_barrier_wait(barrier) }
        }
        for connection in connections { outcome.add(connection.exchange.tally) }
        sem_post(finished)
    }
}
