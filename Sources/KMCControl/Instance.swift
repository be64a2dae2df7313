// SPDX-License-Identifier: MIT

import CKMemcacheUAPI

/// How an operation names an instance.
public enum InstanceReference: Equatable, Sendable {
    case id(UInt32)
    case name(String)

    func encode(into message: borrowing MessageWriter) throws(ControlError) {
        switch self {
        case .id(let id): try message.put(KMC_A_ID.rawValue, id)
        case .name(let name): try message.put(KMC_A_NAME.rawValue, name)
        }
    }
}

/// A running cache, as the module describes it (`KMC_A_INSTANCE`).
public struct Instance: Equatable, Sendable {
    public enum State: Equatable, Sendable {
        case running
        case stopping
        case other(UInt32)
    }

    public var id: UInt32
    public var name: String
    /// Ends with the netlink socket that made it.
    public var isAttached: Bool
    /// What "stats" shows as pid; 0 for none.
    public var pid: UInt32
    public var state: State
    /// Open now.
    public var connections: UInt32
    /// Seconds since it started.
    public var uptime: UInt64
    public var listeners: [Listener]
    /// Not in lists.
    public var settings: InstanceSettings?
    /// Inode of its network namespace, where the module tells.
    public var namespace: UInt64?

    /// As if it had just been started, detached.
    public init(id: UInt32, name: String, endpoints: [Endpoint]) {
        self.id = id
        self.name = name
        listeners = endpoints.map { Listener(endpoint: $0, isShut: false) }
        isAttached = false
        pid = 0
        state = .running
        connections = 0
        uptime = 0
    }

    init(_ attributes: Attributes) throws(ControlError) {
        guard let id: UInt32 = try attributes.integer(KMC_A_ID.rawValue) else {
            throw .badReply("an instance without id")
        }
        self.id = id
        name = attributes.string(KMC_A_NAME.rawValue) ?? String(id)
        let flags: UInt32 = try attributes.integer(KMC_A_FLAGS.rawValue) ?? 0
        isAttached = flags & KMC_INSTANCE_F_ATTACHED != 0
        pid = try attributes.integer(KMC_A_PID.rawValue) ?? 0
        state = State(try attributes.integer(KMC_A_STATE.rawValue) ?? KMC_STATE_RUNNING.rawValue)
        connections = try attributes.integer(KMC_A_CONNS.rawValue) ?? 0
        uptime = try attributes.integer(KMC_A_UPTIME.rawValue) ?? 0
        namespace = try attributes.integer(KMC_A_NETNS.rawValue)
        listeners = []
        for nest in try attributes.nests(KMC_A_LISTENER.rawValue) {
            listeners.append(try Listener(nest))
        }
        settings = nil
        if let nest = try attributes.nests(KMC_A_SETTINGS.rawValue).last {
            settings = try InstanceSettings(nest)
        }
    }
}

extension Instance {
    /// Where it listens, or listened.
    public var endpoints: [Endpoint] { listeners.map(\.endpoint) }
}

extension Instance.State {
    init(_ value: UInt32) {
        switch value {
        case KMC_STATE_RUNNING.rawValue: self = .running
        case KMC_STATE_STOPPING.rawValue: self = .stopping
        default: self = .other(value)
        }
    }

    public var description: String {
        switch self {
        case .running: "running"
        case .stopping: "stopping"
        case .other(let value): "state \(value)"
        }
    }
}

/// A row of statistics (`KMC_A_STAT`).
public struct Statistic: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    init(_ attributes: Attributes) throws(ControlError) {
        guard let name = attributes.string(KMC_STAT_NAME.rawValue) else {
            throw .badReply("a statistic without name")
        }
        self.init(name: name, value: attributes.string(KMC_STAT_VALUE.rawValue) ?? "")
    }
}
