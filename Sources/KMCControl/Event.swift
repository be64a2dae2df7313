// SPDX-License-Identifier: MIT

import CKMemcacheUAPI

/// What the module tells on its own (`KMC_CMD_EVENT`).
public struct Event: Equatable, Sendable {
    /// Why an instance stopped (`enum kmc_reason`).
    public enum Reason: Equatable, Sendable {
        case none
        /// Somebody asked for it (`KMC_CMD_DEL`).
        case request
        /// The netlink socket it was attached to closed.
        case owner
        /// A client's "shutdown".
        case client(graceful: Bool)
        /// The module is being removed.
        case unload
        case other(UInt32)
    }

    public enum Kind: Equatable, Sendable {
        case started
        case stopped(Reason)
        case other(UInt32)
    }

    public var kind: Kind
    public var id: UInt32
    public var name: String

    public init(kind: Kind, id: UInt32, name: String) {
        self.kind = kind
        self.id = id
        self.name = name
    }

    init(_ attributes: Attributes) throws(ControlError) {
        guard let id: UInt32 = try attributes.integer(KMC_A_ID.rawValue),
            let kind: UInt32 = try attributes.integer(KMC_A_EVENT.rawValue)
        else { throw .badReply("an event without instance or kind") }
        self.id = id
        name = attributes.string(KMC_A_NAME.rawValue) ?? String(id)
        switch kind {
        case KMC_EVENT_STARTED.rawValue: self.kind = .started
        case KMC_EVENT_STOPPED.rawValue:
            self.kind = .stopped(Reason(try attributes.integer(KMC_A_REASON.rawValue) ?? KMC_REASON_NONE.rawValue))
        default: self.kind = .other(kind)
        }
    }
}

extension Event.Reason {
    init(_ value: UInt32) {
        switch value {
        case KMC_REASON_NONE.rawValue: self = .none
        case KMC_REASON_REQUEST.rawValue: self = .request
        case KMC_REASON_OWNER.rawValue: self = .owner
        case KMC_REASON_CLIENT.rawValue: self = .client(graceful: false)
        case KMC_REASON_CLIENT_GRACEFUL.rawValue: self = .client(graceful: true)
        case KMC_REASON_UNLOAD.rawValue: self = .unload
        default: self = .other(value)
        }
    }
}
