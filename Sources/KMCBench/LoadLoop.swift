// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Histogram
import Synchronization

/// Nanoseconds of the clock that latencies are measured with.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
}

/// A socket, what is said over it, and how far the current batch is sent.
struct Connection: BitwiseCopyable {
    let socket: Socket
    var exchange: Exchange
    /// Bytes of the batch that are sent, and when the first was.
    var sent = 0
    var started: UInt64 = 0
    /// Whether epoll reports room to send.
    var watchesRoom = false

    var unsent: Int { exchange.requestLength &- sent }

    /// Sends what fits of the rest of the batch.
    mutating func push() throws(BenchFailure) {
        if unsent > 0 {
            sent &+= try socket.send(exchange.request + sent, unsent)
        }
    }
}

/// One thread's closed loop over its connections. Nothing in it allocates or counts references per request: the
/// connections and the histogram are values that only this loop holds.
struct LoadLoop: ~Copyable {
    private static let longest: UInt64 = 60_000_000_000
    private static let eventCount = 64

    private let connections: UnsafeMutablePointer<Connection>
    private let count: Int
    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// Requests done, for a watcher in another thread.
    private let published: UnsafeMutablePointer<Atomic<Int>>
    private(set) var latencies = Histogram<UInt64>(highestTrackableValue: Self.longest)

    /// Requests that may still be sent, and when the last one may be.
    private var remaining = 0
    private var deadline = UInt64.max
    /// Connections with a batch under way.
    private var busy = 0
    private var done = 0

    /// `connections` and `published` belong to the caller and must outlive the loop.
    init(
        _ connections: UnsafeMutableBufferPointer<Connection>, published: UnsafeMutablePointer<Atomic<Int>>
    ) throws(BenchFailure) {
        self.connections = connections.baseAddress!
        count = connections.count
        self.published = published
        events = .allocate(capacity: Self.eventCount)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw BenchFailure("cannot make an epoll descriptor", errno: errno) }
        for index in 0..<count where count > 1 {
            try watch(index, Int32(EPOLL_CTL_ADD), room: false)
        }
    }

    deinit {
        events.deallocate()
        close(epoll)
    }

    /// Sends `requests` requests, or what fits until `deadline`, and waits for all replies.
    mutating func run(requests: Int, until deadline: UInt64 = .max) throws(BenchFailure) {
        remaining = requests
        self.deadline = deadline
        let now = monotonicNanoseconds()
        for index in 0..<count {
            try begin(connections + index, now)
            if count > 1 { try watchRoom(index) }
        }
        if count == 1 {
            try runAlone(connections)
        } else {
            try runTogether()
        }
        published.pointee.store(done, ordering: .relaxed)
    }

    /// Forgets the latencies so far: what follows counts.
    mutating func forget() {
        latencies.reset()
        for index in 0..<count {
            connections[index].exchange.tally = Tally()
        }
    }

    /// One connection: wait in recv itself, two system calls per batch.
    private mutating func runAlone(_ connection: UnsafeMutablePointer<Connection>) throws(BenchFailure) {
        while busy > 0 {
            if connection.pointee.unsent > 0 {
                connection.pointee.socket.waitReady()
                try connection.pointee.push()
                try pull(connection, wait: false)
            } else {
                try pull(connection, wait: true)
            }
        }
    }

    private mutating func runTogether() throws(BenchFailure) {
        while busy > 0 {
            let ready = epoll_wait(epoll, events, Int32(Self.eventCount), -1)
            guard ready >= 0 || errno == EINTR else { throw BenchFailure("cannot wait for replies", errno: errno) }
            var place = 0
            while place < ready {
                try handle(events[place])
                place &+= 1
            }
        }
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
            if ended && !more && connection.pointee.exchange.waiting > 0 {
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

    /// Starts the next batch, if there is to be one.
    private mutating func begin(
        _ connection: UnsafeMutablePointer<Connection>, _ now: UInt64
    ) throws(BenchFailure) {
        guard remaining > 0 && now < deadline else { return }
        remaining &-= connection.pointee.exchange.prepare(limit: remaining)
        connection.pointee.started = now
        connection.pointee.sent = 0
        busy &+= 1
        try connection.pointee.push()
    }

    /// Receives once; returns whether more may be there. Starts the next batch when this one is answered.
    @discardableResult
    private mutating func pull(
        _ connection: UnsafeMutablePointer<Connection>, wait: Bool
    ) throws(BenchFailure) -> Bool {
        let room = connection.pointee.exchange.room
        let count = try connection.pointee.socket.receive(into: room, wait: wait)
        guard count > 0 else { return false }
        let now = monotonicNanoseconds()
        let answered = connection.pointee.exchange.received(count)
        guard answered >= 0 else { throw Self.nonsense(connection.pointee.exchange.unread) }
        if answered > 0 {
            latencies.record(min(now &- connection.pointee.started, Self.longest), count: UInt64(answered))
            done &+= answered
        }
        if connection.pointee.exchange.waiting == 0 {
            busy &-= 1
            published.pointee.store(done, ordering: .relaxed)
            try begin(connection, now)
        }
        return count == room.count
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
}
