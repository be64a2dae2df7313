// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import Glibc

/// The operations of the module, over one netlink socket. An instance that is made as attached lives no longer than
/// this value's transport.
public final class Control {
    private let transport: any NetlinkTransport
    private let family: UInt16
    private var sequence: UInt32 = 0

    /// - Throws: ``ControlError/moduleNotLoaded`` when the family is not there.
    public init(over transport: any NetlinkTransport) throws(ControlError) {
        self.transport = transport
        family = try transport.resolve(family: KMC_GENL_NAME)
    }

    /// Over a socket of its own.
    public convenience init() throws(ControlError) {
        try self.init(over: try LibNLTransport())
    }

    /// Sends a request and collects what is answered until the kernel's verdict.
    func exchange(
        _ command: kmc_cmd, _ fill: (borrowing MessageWriter) throws(ControlError) -> Void = { _ in }
    ) throws(ControlError) -> [Attributes] {
        sequence &+= 1
        let message = try MessageWriter(family: family, command: command, sequence: sequence, port: transport.port)
        try fill(message)
        try transport.send(message.bytes())
        var replies: [Attributes] = []
        while true {
            for message in try ReceivedMessage.split(try transport.receive(), family: family)
            where message.sequence == sequence && message.port == transport.port {
                switch message.content {
                case .verdict(code: 0, _): return replies
                case .verdict(let code, let sentence): throw Self.error(code, sentence)
                case .family(_, let attributes): replies.append(try Attributes(attributes))
                case .other: continue
                }
            }
        }
    }

    private static func error(_ code: Int32, _ sentence: String?) -> ControlError {
        switch (code, sentence) {
        case (EPERM, _): .notPermitted(sentence: sentence)
        // What generic netlink itself says when the family went away after it was looked up.
        case (ENOENT, nil): .moduleNotLoaded
        default: .refused(code: code, sentence: sentence)
        }
    }
}

extension Control {
    /// Makes an instance and starts it (`KMC_CMD_NEW`). Clients can connect when this returns.
    ///
    /// - Parameters:
    ///   - name: `nil`: the id as a decimal number
    ///   - attached: the instance ends when this value's transport is closed, however the process ends
    ///   - pid: what "stats" shows; `nil` for none
    ///   - auth: who may come in, if and only if the settings say that clients must say who they are
    public func create(
        name: String?, settings: InstanceSettings, listeners: [ListenerRequest], attached: Bool, pid: UInt32?,
        auth: AuthTable? = nil
    ) throws(ControlError) -> Instance {
        let replies = try exchange(KMC_CMD_NEW) { message throws(ControlError) in
            if let name { try message.put(KMC_A_NAME.rawValue, name) }
            if attached { try message.put(KMC_A_FLAGS.rawValue, UInt32(KMC_INSTANCE_F_ATTACHED)) }
            if let pid { try message.put(KMC_A_PID.rawValue, pid) }
            try message.nest(KMC_A_SETTINGS.rawValue) { () throws(ControlError) in try settings.encode(into: message) }
            try auth?.encode(into: message)
            for listener in listeners {
                try message.nest(KMC_A_LISTENER.rawValue) { () throws(ControlError) in
                    try listener.encode(into: message)
                }
            }
        }
        return try instance(in: replies)
    }

    /// From now on these users may come in; who is in stays (`KMC_CMD_AUTH`).
    public func replaceUsers(of reference: InstanceReference, with table: AuthTable) throws(ControlError) {
        _ = try exchange(KMC_CMD_AUTH) { message throws(ControlError) in
            try reference.encode(into: message)
            try table.encode(into: message)
        }
    }

    /// Stops an instance (`KMC_CMD_DEL`). Listeners, connections and memory are gone when this returns.
    ///
    /// - Parameter everywhere: look in every network namespace
    public func destroy(_ reference: InstanceReference, everywhere: Bool = false) throws(ControlError) {
        _ = try exchange(KMC_CMD_DEL) { message throws(ControlError) in
            try reference.encode(into: message)
            try Self.lookEverywhere(everywhere, message)
        }
    }

    /// One instance, with its settings (`KMC_CMD_GET`).
    public func get(_ reference: InstanceReference, everywhere: Bool = false) throws(ControlError) -> Instance {
        let replies = try exchange(KMC_CMD_GET) { message throws(ControlError) in
            try reference.encode(into: message)
            try Self.lookEverywhere(everywhere, message)
        }
        return try instance(in: replies)
    }

    /// The instances by rising id (`KMC_CMD_LIST`, as often as it takes).
    public func list(everywhere: Bool = false) throws(ControlError) -> [Instance] {
        var instances: [Instance] = []
        try batches(KMC_CMD_LIST) { message throws(ControlError) in
            try Self.lookEverywhere(everywhere, message)
        } take: { reply throws(ControlError) in
            let nests = try reply.nests(KMC_A_INSTANCE.rawValue)
            for nest in nests { instances.append(try Instance(nest)) }
            return nests.count
        }
        return instances
    }

    /// Statistics of an instance (`KMC_CMD_STATS`, as often as it takes).
    ///
    /// - Parameter group: what a client would write behind "stats"
    public func statistics(of reference: InstanceReference, group: String? = nil) throws(ControlError) -> [Statistic] {
        var rows: [Statistic] = []
        try batches(KMC_CMD_STATS) { message throws(ControlError) in
            try reference.encode(into: message)
            if let group { try message.put(KMC_A_STATS_GROUP.rawValue, group) }
        } take: { reply throws(ControlError) in
            let nests = try reply.nests(KMC_A_STAT.rawValue)
            for nest in nests { rows.append(try Statistic(nest)) }
            return nests.count
        }
        return rows
    }

    /// From now on the module's events come to this value's transport too (`KMC_CMD_SUBSCRIBE`).
    func subscribe() throws(ControlError) {
        _ = try exchange(KMC_CMD_SUBSCRIBE)
    }

    /// Reads a datagram of events; waits for it.
    func receiveEvents() throws(ControlError) -> [Event] {
        var events: [Event] = []
        for message in try ReceivedMessage.split(try transport.receive(), family: family) {
            guard case .family(let command, let attributes) = message.content, command == KMC_CMD_EVENT.rawValue else {
                continue
            }
            events.append(try Event(try Attributes(attributes)))
        }
        return events
    }

    var descriptor: Int32 { transport.descriptor }

    /// Asks again with the cursor of the last reply, until a reply has none.
    private func batches(
        _ command: kmc_cmd, _ fill: (borrowing MessageWriter) throws(ControlError) -> Void,
        take: (Attributes) throws(ControlError) -> Int
    ) throws(ControlError) {
        var cursor: UInt32?
        repeat {
            let replies = try exchange(command) { message throws(ControlError) in
                try fill(message)
                if let cursor { try message.put(KMC_A_CURSOR.rawValue, cursor) }
            }
            guard let reply = replies.first, replies.count == 1 else { throw .badReply("\(replies.count) replies") }
            let count = try take(reply)
            let next: UInt32? = try reply.integer(KMC_A_CURSOR.rawValue)
            // A cursor that stands still would ask for ever.
            if let next, count == 0 || next <= cursor ?? 0 { throw .badReply("a cursor that does not advance") }
            cursor = next
        } while cursor != nil
    }

    private static func lookEverywhere(_ everywhere: Bool, _ message: borrowing MessageWriter) throws(ControlError) {
        if everywhere { try message.put(KMC_A_FLAGS.rawValue, UInt32(KMC_LIST_F_ALL_NETNS)) }
    }

    private func instance(in replies: [Attributes]) throws(ControlError) -> Instance {
        guard let reply = replies.first, let nest = try reply.nests(KMC_A_INSTANCE.rawValue).first else {
            throw .badReply("no instance in it")
        }
        return try Instance(nest)
    }
}
