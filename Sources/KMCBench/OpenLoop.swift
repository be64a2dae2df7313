// SPDX-License-Identifier: MIT

/// A fixed rate: each connection has a batch due every `interval` nanoseconds, whether or not the one before is answered,
/// and latency counts from when the batch was due. So a server that stalls is charged for all that waited (G. Tene's
/// "coordinated omission").
extension LoadLoop {
    /// How long a wait takes at most, so that a stop is seen.
    private static let longestWait: UInt64 = 100_000_000

    /// Sends `requests` requests, or what is due until `deadline`, and waits for all replies. `start` is when the first
    /// batch of the first connection is due; the others follow evenly. Returns the requests that were due, but could
    /// not be sent because their connection waited.
    mutating func runOpen(
        requests: Int, until deadline: UInt64, interval: UInt64, start: UInt64, depth: Int
    ) throws(BenchFailure) -> Int {
        setLimits(requests: requests, until: deadline)
        self.interval = interval
        defer { self.interval = 0 }
        for index in 0..<count {
            connections[index].due = start + UInt64(index) * interval / UInt64(count)
            connections[index].owed = 0
        }
        // Connections fall due in turn.
        var turn = 0
        var round: UInt64 = 0
        while true {
            var now = monotonicNanoseconds()
            var slot = start + round * interval + UInt64(turn) * interval / UInt64(count)
            while slot <= now && mayBegin(slot) {
                connections[turn].owed += 1
                if !connections[turn].isBusy { try beginDue(connections + turn) }
                turn += 1
                if turn == count { (turn, round) = (0, round + 1) }
                slot = start + round * interval + UInt64(turn) * interval / UInt64(count)
                now = monotonicNanoseconds()
            }
            let goesOn = mayBegin(slot)
            if !goesOn && busy == 0 { break }
            let wait = goesOn && slot > now ? slot - now : Self.longestWait
            try waitAndHandle(limit: min(wait, Self.longestWait))
        }
        publish()
        return (0..<count).reduce(0) { $0 + connections[$1].owed * depth }
    }

    /// Starts the batch of this connection that has been due longest.
    mutating func beginDue(_ connection: UnsafeMutablePointer<Connection>) throws(BenchFailure) {
        guard mayBegin(connection.pointee.due) else { return }
        let due = connection.pointee.due
        connection.pointee.due = due + interval
        connection.pointee.owed -= 1
        try begin(connection, due)
    }
}
