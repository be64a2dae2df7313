// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import CLibNL
import Glibc

/// A netlink message as it came, header read and lengths checked.
struct ReceivedMessage {
    enum Content {
        /// The end of a request: 0, or an errno and the kernel's sentence.
        case verdict(code: Int32, sentence: String?)
        /// A message of the family: its command and attributes.
        case family(command: UInt8, attributes: ArraySlice<UInt8>)
        /// Nothing to read (`NLMSG_NOOP`), or of another family.
        case other(type: UInt16)
    }

    let sequence: UInt32
    let port: UInt32
    let content: Content

    private static let headerLength = MemoryLayout<nlmsghdr>.size
    private static let familyHeaderLength = MemoryLayout<genlmsghdr>.size

    /// Splits a datagram into its messages.
    static func split(_ datagram: [UInt8], family: UInt16) throws(ControlError) -> [ReceivedMessage] {
        var messages: [ReceivedMessage] = []
        var rest = datagram[...]
        while !rest.isEmpty {
            // struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32
            guard rest.count >= headerLength, let length = rest.integer(at: 0, as: UInt32.self).map(Int.init) else {
                throw .badReply("a message's header is cut off")
            }
            guard length >= headerLength, length <= rest.count else { throw .badReply("a message's length is wrong") }
            messages.append(try ReceivedMessage(rest.prefix(length), family: family))
            rest = rest.dropFirst(align4(length))
        }
        return messages
    }

    /// - Parameter message: at least a header
    private init(_ message: ArraySlice<UInt8>, family: UInt16) throws(ControlError) {
        let type = message.integer(at: 4, as: UInt16.self)!
        let flags = message.integer(at: 6, as: UInt16.self)!
        sequence = message.integer(at: 8, as: UInt32.self)!
        port = message.integer(at: 12, as: UInt32.self)!
        let payload = message.dropFirst(Self.headerLength)
        switch Int32(type) {
        case NLMSG_ERROR:
            content = try Self.verdict(payload, flags: flags)
        case Int32(family):
            guard let command = payload.first, payload.count >= Self.familyHeaderLength else {
                throw .badReply("a generic netlink header is cut off")
            }
            content = .family(command: command, attributes: payload.dropFirst(Self.familyHeaderLength))
        default:
            content = .other(type: type)
        }
    }

    /// struct nlmsgerr: negative errno, the request's header, its payload unless capped, attributes if flagged.
    private static func verdict(_ payload: ArraySlice<UInt8>, flags: UInt16) throws(ControlError) -> Content {
        guard let code = payload.integer(at: 0, as: Int32.self),
            let requestLength = payload.integer(at: 4, as: UInt32.self).map(Int.init),
            payload.count >= 4 + headerLength
        else { throw .badReply("an acknowledgement is cut off") }
        guard code <= 0, code > -4096 else { throw .badReply("an acknowledgement with code \(code)") }
        guard flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return .verdict(code: -code, sentence: nil) }
        let echoed = flags & UInt16(NLM_F_CAPPED) != 0 ? headerLength : align4(requestLength)
        guard echoed >= headerLength, payload.count - 4 >= echoed else {
            throw .badReply("an acknowledgement's echo is cut off")
        }
        let attributes = try Attributes(payload.dropFirst(4 + echoed))
        return .verdict(code: -code, sentence: attributes.string(UInt32(NLMSGERR_ATTR_MSG.rawValue)))
    }
}
