// SPDX-License-Identifier: GPL-2.0

import CKMCCore
import KMCProtocolModel

/// The core that the module is built from, with the clock in our hand. One at a time: the clock is the process'.
final class CoreServer {
    struct Refused: Error { let complaint: String }

    /// How little of its work a session may do at a time, so that it stops wherever it can.
    struct Turns: Equatable {
        /// Commands, and keys of a `get`.
        var requests = UInt32.max
        /// Bytes of input.
        var bytes = UInt32.max
        /// Bytes of a reply that the socket takes.
        var send = UInt32.max

        static let unlimited = Turns()
    }

    /// The settings and their names in the core.
    struct Settings {
        var memory: UInt64 = 64 << 20
        var itemSize: UInt64 = 1 << 20
        var chunkSize: UInt64 = 512 << 10
        var evicts = true
        var allowsFlush = true
        var allowsShutdown = false

        fileprivate var named: [(StaticString, UInt64)] {
            [
                ("memory_limit", memory), ("item_size_max", itemSize), ("slab_chunk_max", chunkSize),
                ("evict", evicts ? 1 : 0), ("flush_enabled", allowsFlush ? 1 : 0),
                ("shutdown_enabled", allowsShutdown ? 1 : 0), ("hashpower", 12),
            ]
        }
    }

    /// `-M`
    let refusesToForget: Bool
    private let cache: OpaquePointer
    private(set) var clock: Int64

    init(_ settings: Settings, clock: Int64) throws {
        let list = settings.named.map {
            kmcsim_setting(name: UnsafeRawPointer($0.0.utf8Start).assumingMemoryBound(to: CChar.self), value: $0.1)
        }
        var complaint: UnsafePointer<CChar>?
        kmcsim_random_seed(1)
        kmcsim_clock_set_wall(clock)
        guard let cache = kmcsim_cache_create(list, list.count, &complaint) else {
            throw Refused(complaint: complaint.map { String(cString: $0) } ?? "no reason given")
        }
        refusesToForget = !settings.evicts
        self.cache = cache
        self.clock = clock
    }

    deinit {
        kmcsim_cache_destroy(cache)
    }

    /// A connection; it keeps the server.
    func connect(_ turns: Turns = .unlimited) -> Connection {
        Connection(self, kmcsim_session_open(cache, 0)!, turns)
    }

    func setClock(_ seconds: Int64) {
        guard seconds > clock else { return }
        kmcsim_clock_advance(UInt64(seconds - clock) * 1000)
        clock = seconds
    }

    /// What the module does between requests: pages, growth of the index, expiry in the background.
    func keepUp() {
        _ = kmcsim_cache_maintain(cache)
    }

    var isShutDown: Bool { kmcsim_cache_shut_down(cache) }

    /// How often sessions stopped for each reason.
    var stops: Stops {
        Stops(
            send: kmcsim_cache_stops(cache, KMCSIM_STOP_SEND), turn: kmcsim_cache_stops(cache, KMCSIM_STOP_TURN),
            process: kmcsim_cache_stops(cache, KMCSIM_STOP_PROCESS))
    }

    struct Stops {
        var send: UInt64 = 0, turn: UInt64 = 0, process: UInt64 = 0
    }

    /// The figures of `stats`, by name.
    func statistics() -> [String: String] {
        var decoder = TextReplyDecoder()
        decoder.append(connect().exchange(Bytes("stats\r\n")))
        guard case .stats(let rows)? = try? decoder.next() else { return [:] }
        return Dictionary(rows.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    final class Connection {
        private let server: CoreServer
        private let session: OpaquePointer
        private(set) var isClosed = false

        fileprivate init(_ server: CoreServer, _ session: OpaquePointer, _ turns: Turns) {
            self.server = server
            self.session = session
            kmcsim_session_limits(session, turns.requests, turns.bytes, turns.send)
        }

        deinit {
            kmcsim_session_close(session)
        }

        /// What comes back for these bytes, which arrive in runs of at most `longest`.
        ///
        /// Each run has memory of its own, so that the sanitizer sees a step beyond its end.
        func exchange(_ bytes: Bytes, longest: Int = .max) -> Bytes {
            var place = 0
            while place < bytes.count, !isClosed {
                let end = place + min(longest, bytes.count - place)
                let run = UnsafeMutablePointer<UInt8>.allocate(capacity: end - place)
                bytes.withUnsafeBufferPointer { run.initialize(from: $0.baseAddress! + place, count: end - place) }
                isClosed = !kmcsim_session_feed(session, run, end - place)
                run.deallocate()
                place = end
            }
            var length = 0
            let replies = kmcsim_session_replies(session, &length)
            defer { kmcsim_session_clear_replies(session) }
            return Bytes(UnsafeBufferPointer(start: replies, count: length))
        }
    }
}
