// SPDX-License-Identifier: GPL-2.0

import KMCProtocolModel

/// Bytes that arrive on one connection, and how.
struct Step {
    var connection: Int
    /// Whether the connection is a new one, and an old one of that number is left as it is.
    var opens: Bool
    var bytes: Bytes
    /// Seconds since 1970.
    var clock: Int64
    /// What the session may do at a time, if it opens.
    var turns = CoreServer.Turns.unlimited
    /// The core gets the bytes in runs of at most so many; the model gets all at once.
    var longestRun = Int.max
    /// Whether upkeep runs afterwards.
    var upkeep = false
}

extension Step: CustomStringConvertible {
    var description: String {
        var text = "at \(clock)  \(opens ? "new " : "")connection \(connection)"
        if turns != .unlimited { text += "  turns of \(turns.requests) requests, \(turns.bytes) bytes, \(turns.send) sent" }
        if longestRun != .max { text += "  in runs of \(longestRun)" }
        return text + "  \"\(bytes.escaped(limit: 2000))\"\(upkeep ? "  then upkeep" : "")"
    }
}

/// What the two sides disagree about.
struct Difference: Error, CustomStringConvertible {
    let subject: String
    let model: String
    let core: String

    var description: String { "\(subject)\n    model: \(model)\n    core:  \(core)" }
}
