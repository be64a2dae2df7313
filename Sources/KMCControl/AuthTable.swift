// SPDX-License-Identifier: MIT

import CKMemcacheUAPI

/// Who may come in, as the module knows them: by digests alone. How these are made is said in the contract
/// (kmemcache.h, `KMC_CMD_AUTH`).
public struct AuthTable: Equatable, Sendable {
    public static let saltLength = Int(KMC_AUTH_SALT_LEN)
    public static let digestLength = Int(KMC_AUTH_DIGEST_LEN)
    public static let mostUsers = Int(KMC_AUTH_USERS_MAX)

    /// Random bytes, ``saltLength`` of them.
    public var salt: [UInt8]
    public var rounds: UInt32
    /// One for each user, of ``digestLength`` bytes.
    public var digests: [[UInt8]]

    public init(salt: [UInt8], rounds: UInt32, digests: [[UInt8]]) {
        self.salt = salt
        self.rounds = rounds
        self.digests = digests
    }

    func encode(into message: borrowing MessageWriter) throws(ControlError) {
        try message.nest(KMC_A_AUTH.rawValue) { () throws(ControlError) in
            try message.put(KMC_AUTH_A_SALT.rawValue, salt)
            try message.put(KMC_AUTH_A_ROUNDS.rawValue, rounds)
            if !digests.isEmpty { try message.put(KMC_AUTH_A_DIGESTS.rawValue, digests.flatMap { $0 }) }
        }
    }
}
