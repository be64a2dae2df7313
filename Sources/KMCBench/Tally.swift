// SPDX-License-Identifier: MIT

/// What a connection has counted.
struct Tally: BitwiseCopyable, Equatable {
    /// Requests whose reply is complete.
    var requests = 0
    /// Keys that these requests named.
    var keys = 0
    /// Values that came and, if asked for, were verified.
    var hits = 0
    /// Keys without a value.
    var misses = 0
    /// Values that are not their key's, or of a key that was not asked for.
    var wrong = 0
    /// Replies that say an error, or that a value was not stored.
    var errors = 0
    /// Requests over UDP that were not answered in time.
    var lost = 0

    static func += (sum: inout Tally, more: Tally) {
        sum.requests += more.requests
        sum.keys += more.keys
        sum.hits += more.hits
        sum.misses += more.misses
        sum.wrong += more.wrong
        sum.errors += more.errors
        sum.lost += more.lost
    }
}
