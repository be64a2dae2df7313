// SPDX-License-Identifier: MIT

/// A socket, what is said over it, and how far the current batch is sent.
struct Connection: BitwiseCopyable {
    let socket: Socket
    var exchange: Exchange
    /// Bytes of the batch that are sent, and when its latency started to count.
    var sent = 0
    var started: UInt64 = 0
    /// Whether a batch is under way.
    var isBusy = false
    /// Whether epoll reports room to send.
    var watchesRoom = false
    /// In an open loop: when the next batch is due, and how many batches are due already.
    var due: UInt64 = 0
    var owed = 0

    init(_ socket: Socket, _ exchange: Exchange) {
        self.socket = socket
        self.exchange = exchange
    }

    var unsent: Int { exchange.requestLength &- sent }

    /// Sends what fits of the rest of the batch.
    mutating func push() throws(BenchFailure) {
        if socket.isDatagram { return try pushDatagrams() }
        if unsent > 0 {
            sent &+= try socket.send(exchange.request + sent, unsent)
        }
    }

    /// Each request is a datagram.
    private mutating func pushDatagrams() throws(BenchFailure) {
        for place in 0..<exchange.batch.count {
            let start = exchange.batch.requestStart(place)
            try socket.sendDatagram(exchange.request + start, exchange.batch.requestStart(place &+ 1) &- start)
        }
        sent = exchange.requestLength
    }
}
