// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Which CAS unique of the server stands for which of the model.
///
/// The numbers are the server's own affair; that the same item shows the same one, and a changed item another, isn't.
struct UniqueLedger {
    private var ofServer: [UInt64: UInt64] = [:]
    private var ofModel: [UInt64: UInt64] = [:]
    private var last: [Bytes: (server: UInt64, model: UInt64)] = [:]

    /// Enters a pair that was shown for a key; false if it contradicts what was shown before.
    mutating func enter(server: UInt64, model: UInt64, for key: Bytes) -> Bool {
        guard ofServer[model, default: server] == server, ofModel[server, default: model] == model else { return false }
        ofServer[model] = server
        ofModel[server] = model
        last[key] = (server, model)
        return true
    }

    /// A symbolic unique as the server and as the model understand it.
    func resolve(_ symbol: UInt64, for key: Bytes) -> (server: UInt64, model: UInt64) {
        guard symbol == Step.lastSeen else { return (symbol, symbol) }
        return last[key] ?? (Step.unknownUnique, Step.unknownUnique)
    }
}
