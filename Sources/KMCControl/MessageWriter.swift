// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import CLibNL
import Glibc

/// A request to the module under construction. Owns the library's message.
struct MessageWriter: ~Copyable {
    private let message: OpaquePointer

    /// The largest request is 64 listeners, every setting and 256 users: under 16 KiB.
    private static let capacity = 16_384

    /// - Parameters:
    ///   - family: id of the family, as resolved on this socket
    ///   - sequence: comes back in the replies
    init(family: UInt16, command: kmc_cmd, sequence: UInt32, port: UInt32) throws(ControlError) {
        guard let message = nlmsg_alloc_size(Self.capacity) else {
            throw .system(call: "nlmsg_alloc", reason: describe(errno: ENOMEM))
        }
        let header = genlmsg_put(
            message, port, sequence, Int32(family), 0, NLM_F_REQUEST | NLM_F_ACK, UInt8(command.rawValue),
            UInt8(KMC_GENL_VERSION))
        guard header != nil else {
            nlmsg_free(message)
            throw .system(call: "genlmsg_put", reason: describe(errno: ENOBUFS))
        }
        self.message = message
    }

    deinit { nlmsg_free(message) }

    func put(_ type: UInt32, _ value: UInt8) throws(ControlError) { try check(nla_put_u8(message, Int32(type), value)) }

    func put(_ type: UInt32, _ value: UInt32) throws(ControlError) {
        try check(nla_put_u32(message, Int32(type), value))
    }

    func put(_ type: UInt32, _ value: Int32) throws(ControlError) {
        try check(nla_put_s32(message, Int32(type), value))
    }

    func put(_ type: UInt32, _ value: UInt64) throws(ControlError) {
        try check(nla_put_u64(message, Int32(type), value))
    }

    func put(_ type: UInt32, _ value: String) throws(ControlError) {
        try check(nla_put_string(message, Int32(type), value))
    }

    func put(_ type: UInt32, _ value: [UInt8]) throws(ControlError) {
        try check(nla_put(message, Int32(type), Int32(value.count), value))
    }

    /// Puts what `fill` puts into a nest.
    func nest(_ type: UInt32, _ fill: () throws(ControlError) -> Void) throws(ControlError) {
        guard let start = nla_nest_start(message, Int32(type) | Int32(NLA_F_NESTED)) else {
            throw .system(call: "nla_nest_start", reason: describe(errno: EMSGSIZE))
        }
        try fill()
        // Keeps a nest that stayed empty: "no settings" is said like "some settings".
        try check(nla_nest_end_keep_empty(message, start))
    }

    /// The finished message, header included.
    consuming func bytes() -> [UInt8] {
        let header = nlmsg_hdr(message)!
        return [UInt8](UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }

    private func check(_ status: Int32) throws(ControlError) {
        guard status >= 0 else {
            throw .system(call: "netlink message", reason: String(cString: nl_geterror(status)))
        }
    }
}

extension InstanceSettings {
    /// Puts what is set, in the order of the table.
    func encode(into message: borrowing MessageWriter) throws(ControlError) {
        for row in Self.rows {
            let type = row.attribute.rawValue
            switch row.place {
            case .bool(let field): if let value = self[keyPath: field] { try message.put(type, UInt8(value ? 1 : 0)) }
            case .u8(let field): if let value = self[keyPath: field] { try message.put(type, value) }
            case .wireProtocol(let field): if let value = self[keyPath: field] { try message.put(type, value.rawValue) }
            case .hashAlgorithm(let field): if let value = self[keyPath: field] { try message.put(type, value.rawValue) }
            case .authentication(let field):
                if let value = self[keyPath: field] { try message.put(type, value.rawValue) }
            case .u32(let field): if let value = self[keyPath: field] { try message.put(type, value) }
            case .u64(let field): if let value = self[keyPath: field] { try message.put(type, value) }
            case .string(let field): if let value = self[keyPath: field] { try message.put(type, value) }
            }
        }
    }

    init(_ attributes: Attributes) throws(ControlError) {
        self.init()
        for row in Self.rows {
            let type = row.attribute.rawValue
            switch row.place {
            case .bool(let field): self[keyPath: field] = try attributes.integer(type, as: UInt8.self).map { $0 != 0 }
            case .u8(let field): self[keyPath: field] = try attributes.integer(type)
            case .wireProtocol(let field):
                self[keyPath: field] = try attributes.integer(type).flatMap(WireProtocol.init(rawValue:))
            case .hashAlgorithm(let field):
                self[keyPath: field] = try attributes.integer(type).flatMap(HashAlgorithm.init(rawValue:))
            case .authentication(let field):
                self[keyPath: field] = try attributes.integer(type).flatMap(AuthenticationMode.init(rawValue:))
            case .u32(let field): self[keyPath: field] = try attributes.integer(type)
            case .u64(let field): self[keyPath: field] = try attributes.integer(type)
            case .string(let field): self[keyPath: field] = attributes.string(type)
            }
        }
    }
}
