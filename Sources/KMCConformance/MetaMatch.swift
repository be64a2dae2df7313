// SPDX-License-Identifier: MIT

import KMCProtocolModel

/// Compares replies to meta commands, in which times and CAS uniques are the server's own.
struct MetaMatch {
    /// Seconds by which the clocks of model and server may have parted.
    let tolerance: Int64
    /// Whether a value may have lost spaces that the model still has.
    let mayBeTrimmed: Bool
    /// Enters a pair of uniques; false if it contradicts an earlier one.
    let enter: (_ server: UInt64, _ model: UInt64) -> Bool

    func matches(_ wanted: MetaReply, _ got: MetaReply) -> Bool {
        guard wanted.code == got.code, wanted.words.count == got.words.count else { return false }
        guard wanted.value == got.value || mayBeTrimmed && Self.digits(wanted.value) == Self.digits(got.value) else { return false }
        return zip(wanted.words, got.words).allSatisfy { matches($0, $1, wanted.code) }
    }

    private func matches(_ wanted: Bytes, _ got: Bytes, _ code: MetaReply.Code) -> Bool {
        let name = code == .debug ? Bytes(wanted.prefix { $0 != UInt8(ascii: "=") }) + [UInt8(ascii: "=")] : Bytes(wanted.prefix(1))
        guard got.starts(with: name) else { return wanted == got }
        let pair = (Self.number(wanted, behind: name), Self.number(got, behind: name))
        guard case (let model?, let server?) = pair else { return wanted == got }
        switch String(decoding: name, as: UTF8.self) {
        case "c", "cas=": return model == server && model == 0 || model != 0 && server != 0 && enter(server, model)
        case "t", "exp=": return isNear(Int64(truncatingIfNeeded: model), Int64(truncatingIfNeeded: server))
        case "l", "la=", "cls=": return true
        case "s", "size=": return model == server || mayBeTrimmed
        default: return wanted == got
        }
    }

    /// A time that has passed has wrapped, by how much is the server's age.
    private func isNear(_ model: Int64, _ server: Int64) -> Bool {
        let past: Int64 = 4_000_000_000
        return abs(model - server) <= tolerance && (model == -1) == (server == -1) || model > past && server > past
    }

    /// A number with a sign as 64 bits.
    private static func number(_ word: Bytes, behind name: Bytes) -> UInt64? {
        let text = String(decoding: word.dropFirst(name.count), as: UTF8.self)
        return Int64(text).map { UInt64(bitPattern: $0) } ?? UInt64(text)
    }

    private static func digits(_ value: Bytes?) -> Bytes? {
        value.map { Bytes($0.reversed().drop { $0 == 0x20 }.reversed()) }
    }
}

extension MetaRequest {
    /// The key as the cache knows it; nil for base64 that is none.
    var plainKey: Bytes? {
        has("b") ? Base64.decode(key) : key
    }

    /// The request with its key changed, in base64 if it was.
    func mappingKey(_ change: (Bytes) -> Bytes) -> MetaRequest {
        var request = self
        if let plain = plainKey { request.key = has("b") ? Base64.encode(change(plain)) : change(plain) }
        return request
    }

    /// The request with another unique behind C, where that is `symbol`.
    func replacingUnique(_ symbol: UInt64, by unique: UInt64) -> MetaRequest {
        var request = self
        for index in flags.indices where flags[index] == MetaFlag("C", Bytes("\(symbol)")) {
            request.flags[index] = MetaFlag("C", Bytes("\(unique)"))
        }
        return request
    }
}
