// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Synchronization

/// Nanoseconds of the clock that latencies are measured with.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
}

/// What a loop and its watcher in another thread tell each other.
struct Signals: ~Copyable {
    /// Requests done.
    let done = Atomic<Int>(0)
    /// Send no further batch.
    let stop = Atomic<Bool>(false)
}

/// One thread's loop over its connections. Nothing in it allocates or counts references per request: the connections and
/// the counters are memory that only this loop touches.
struct LoadLoop: ~Copyable {
    private static let eventCount = 64
    private static let roomSize = 256 << 10

    let connections: UnsafeMutablePointer<Connection>
    let count: Int
    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private let room: UnsafeMutableRawBufferPointer
    private let signals: UnsafeMutablePointer<Signals>
    private let isDatagram: Bool
    private let latencies: UnsafeMutablePointer<UInt64>
    private var slowest: UInt64 = 0

    /// Requests that may still be sent, and when the last one may be.
    var remaining = 0
    private var deadline = UInt64.max
    /// Connections with a batch under way.
    private(set) var busy = 0
    private var done = 0

    /// `connections` and `signals` belong to the caller and must outlive the loop.
    init(
        _ connections: UnsafeMutableBufferPointer<Connection>, _ signals: UnsafeMutablePointer<Signals>
    ) throws(BenchFailure) {
        self.connections = connections.baseAddress!
        count = connections.count
        self.signals = signals
        isDatagram = connections[0].socket.isDatagram
        events = .allocate(capacity: Self.eventCount)
        room = .allocate(byteCount: Self.roomSize, alignment: 64)
        latencies = .allocate(capacity: Latencies.buckets)
        latencies.initialize(repeating: 0, count: Latencies.buckets)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw BenchFailure("cannot make an epoll descriptor", errno: errno) }
        for index in 0..<count {
            try watch(index, Int32(EPOLL_CTL_ADD), room: false)
        }
    }

    deinit {
        events.deallocate()
        room.deallocate()
        latencies.deallocate()
        close(epoll)
    }

    /// What was measured since `forget`.
    var measured: Latencies {
        var sum = Latencies()
        sum.add(latencies, longest: slowest)
        return sum
    }

    /// Forgets what was measured so far: what follows counts.
    mutating func forget() {
        latencies.update(repeating: 0, count: Latencies.buckets)
        slowest = 0
        for index in 0..<count {
            connections[index].exchange.tally = Tally()
        }
    }

    /// Closed loop: sends `requests` requests, or what fits until `deadline`, and waits for all replies.
    mutating func run(requests: Int, until deadline: UInt64 = .max) throws(BenchFailure) {
        remaining = requests
        self.deadline = deadline
        for index in 0..<count {
            try begin(connections + index, monotonicNanoseconds())
            if count > 1 { try watchRoom(index) }
        }
        if count == 1 {
            try runAlone(connections)
        } else {
            while busy > 0 { try waitAndHandle(limit: isDatagram ? Socket.datagramPatience : nil) }
        }
        publish()
    }

    /// Whether batches may still be started at this time.
    func mayBegin(_ now: UInt64) -> Bool {
        remaining > 0 && now < deadline && !signals.pointee.stop.load(ordering: .relaxed)
    }

    mutating func setLimits(requests: Int, until deadline: UInt64) {
        remaining = requests
        self.deadline = deadline
    }

    func publish() {
        signals.pointee.done.store(done, ordering: .relaxed)
    }

    /// One connection: wait in recv itself, two system calls per batch.
    private mutating func runAlone(_ connection: UnsafeMutablePointer<Connection>) throws(BenchFailure) {
        while busy > 0 {
            if connection.pointee.unsent > 0 {
                connection.pointee.socket.waitReady()
                try connection.pointee.push()
                try pull(connection, wait: false)
            } else if try !pull(connection, wait: true) && isDatagram {
                try giveUp(connection, monotonicNanoseconds())
            }
        }
    }

    /// Waits for replies, at most `limit` nanoseconds, and takes what has come.
    mutating func waitAndHandle(limit: UInt64?) throws(BenchFailure) {
        var time = timespec(tv_sec: Int((limit ?? 0) / 1_000_000_000), tv_nsec: Int((limit ?? 0) % 1_000_000_000))
        let ready = limit == nil
            ? epoll_wait(epoll, events, Int32(Self.eventCount), -1)
            : epoll_pwait2(epoll, events, Int32(Self.eventCount), &time, nil)
        guard ready >= 0 || errno == EINTR else { throw BenchFailure("cannot wait for replies", errno: errno) }
        var place = 0
        while place < ready {
            try handle(events[place])
            place &+= 1
        }
        if ready == 0 && isDatagram { try giveUpOld() }
    }

    private mutating func handle(_ event: epoll_event) throws(BenchFailure) {
        let index = Int(truncatingIfNeeded: event.data.u64)
        let connection = connections + index
        if connection.pointee.watchesRoom {
            try connection.pointee.push()
        }
        // Edge-triggered: a receive that fills less than its room has emptied the socket, but for the end of it.
        let ended = event.events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        var more = true
        while more && connection.pointee.exchange.waiting > 0 {
            more = try pull(connection, wait: false)
            if ended && !isDatagram && !more && connection.pointee.exchange.waiting > 0 {
                throw BenchFailure("the server closed the connection")
            }
        }
        try watchRoom(index)
    }

    /// Lets epoll report room to send while a batch is not sent in full.
    private func watchRoom(_ index: Int) throws(BenchFailure) {
        let connection = connections + index
        let needsRoom = connection.pointee.unsent > 0
        if needsRoom != connection.pointee.watchesRoom {
            connection.pointee.watchesRoom = needsRoom
            try watch(index, Int32(EPOLL_CTL_MOD), room: needsRoom)
        }
    }

    /// Starts the next batch, if there is to be one; its latency counts from `start`.
    mutating func begin(_ connection: UnsafeMutablePointer<Connection>, _ start: UInt64) throws(BenchFailure) {
        guard mayBegin(start) else { return }
        remaining &-= connection.pointee.exchange.prepare(limit: remaining)
        connection.pointee.started = start
        connection.pointee.sent = 0
        connection.pointee.isBusy = true
        busy &+= 1
        try connection.pointee.push()
    }

    /// Receives once; returns whether more may be there. Starts the next batch when this one is answered.
    @discardableResult
    private mutating func pull(
        _ connection: UnsafeMutablePointer<Connection>, wait: Bool
    ) throws(BenchFailure) -> Bool {
        let count = try connection.pointee.socket.receive(into: room, wait: wait)
        guard count > 0 else { return false }
        let now = monotonicNanoseconds()
        let answered = isDatagram
            ? connection.pointee.exchange.receivedDatagram(room.baseAddress!, count)
            : connection.pointee.exchange.received(room.baseAddress!, count)
        guard answered >= 0 else { throw Self.nonsense(connection.pointee.exchange.unread) }
        if answered > 0 {
            record(now &- min(connection.pointee.started, now), answered)
        }
        if connection.pointee.exchange.waiting == 0 {
            try next(connection, now)
        }
        return isDatagram || count == room.count
    }

    private mutating func record(_ nanoseconds: UInt64, _ requests: Int) {
        let time = min(nanoseconds, Latencies.longest)
        latencies[Latencies.bucket(time)] &+= UInt64(truncatingIfNeeded: requests)
        slowest = max(slowest, time)
        done &+= requests
    }

    /// After a batch is over.
    private mutating func next(_ connection: UnsafeMutablePointer<Connection>, _ now: UInt64) throws(BenchFailure) {
        busy &-= 1
        connection.pointee.isBusy = false
        publish()
        if interval == 0 {
            try begin(connection, now)
        } else if connection.pointee.owed > 0 {
            try beginDue(connection)
        }
    }

    private mutating func giveUp(_ connection: UnsafeMutablePointer<Connection>, _ now: UInt64) throws(BenchFailure) {
        connection.pointee.exchange.giveUp()
        try next(connection, now)
    }

    /// Gives up what has been waited for too long.
    private mutating func giveUpOld() throws(BenchFailure) {
        let now = monotonicNanoseconds()
        for index in 0..<count where connections[index].isBusy {
            if now &- min(connections[index].started, now) >= Socket.datagramPatience {
                try giveUp(connections + index, now)
            }
        }
    }

    private func watch(_ index: Int, _ operation: Int32, room: Bool) throws(BenchFailure) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue | (room ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(index)
        guard epoll_ctl(epoll, operation, connections[index].socket.descriptor, &event) == 0 else {
            throw BenchFailure("cannot watch a connection", errno: errno)
        }
    }

    /// What the server sent may hold anything: bytes that do not print are shown as numbers.
    private static func nonsense(_ bytes: UnsafeRawBufferPointer) -> BenchFailure {
        var text = ""
        for byte in bytes {
            text += byte >= 0x20 && byte < 0x7F ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
        }
        return BenchFailure("the server's answer fits no request of this run: \(text)")
    }

    /// In an open loop: nanoseconds between two batches of one connection. 0: closed loop.
    var interval: UInt64 = 0
}
