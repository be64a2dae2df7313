// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import KMCControl

/// An address as it is written behind `-l`: `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`, `V6`, `*`, `*:PORT`; before it,
/// in this order, `proto[ascii|binary|negotiating]:` and `tag_NAME_:` or `tag[NAME]:`.
struct ListenAddress: Equatable, Sendable {
    /// `nil`: every address of the machine.
    var host: String?
    /// `nil`: the port of `-p`, or of `-U`.
    var port: Int32?
    /// `nil`: what `-B` says.
    var wireProtocol: WireProtocol?
    var tag: String?

    init(host: String?, port: Int32?, wireProtocol: WireProtocol? = nil, tag: String? = nil) {
        self.host = host
        self.port = port
        self.wireProtocol = wireProtocol
        self.tag = tag
    }

    init(_ text: String) throws(Failure) {
        for prefix in ["notls", "btls", "mtls"] where text.hasPrefix(prefix + ":") {
            throw Self.refusal(text, "asks for \(prefix), and TLS is not offered")
        }
        var rest = text[...]
        wireProtocol = try Self.takeProtocol(from: &rest, of: text)
        tag = try Self.takeTag(from: &rest, of: text)
        let (host, port) = try Self.split(String(rest), of: text)
        guard !host.isEmpty else { throw Self.refusal(text, "has no host: write *:PORT for every address") }
        self.host = host == "*" ? nil : host
        self.port = try port.map { (digits) throws(Failure) in
            guard let port = Int32(digits), (-1...65_535).contains(port) else {
                throw Self.refusal(text, "has a port that is not a number from 0 to 65535")
            }
            return port
        }
    }

    /// What stands between the brackets, up to and with the colon behind them; `nil` when the text begins otherwise.
    private static func take(
        _ begin: String, _ ends: [Character], from rest: inout Substring, of text: String
    ) throws(Failure) -> Substring? {
        guard rest.hasPrefix(begin) else { return nil }
        let behind = rest.dropFirst(begin.count)
        guard let end = ends.lazy.compactMap({ behind.firstIndex(of: $0) }).first else {
            throw refusal(text, "does not end what it begins with \(begin)")
        }
        let after = behind[behind.index(after: end)...]
        guard after.first == ":" else { throw refusal(text, "has no colon behind \(behind[end])") }
        rest = after.dropFirst()
        return behind[..<end]
    }

    /// memcached takes any beginning of these names.
    private static func takeProtocol(from rest: inout Substring, of text: String) throws(Failure) -> WireProtocol? {
        guard let name = try take("proto[", ["]"], from: &rest, of: text) else { return nil }
        let names: [(String, WireProtocol)] = [("ascii", .text), ("binary", .binary), ("negotiating", .auto)]
        if let found = names.first(where: { $0.0.hasPrefix(name) }) { return found.1 }
        throw refusal(
            text, "proxy".hasPrefix(name) ? "asks for the proxy, which is not offered" : "names no protocol that there is")
    }

    private static func takeTag(from rest: inout Substring, of text: String) throws(Failure) -> String? {
        var named = try take("tag[", ["]", "_"], from: &rest, of: text)
        if named == nil { named = try take("tag_", ["]", "_"], from: &rest, of: text) }
        guard let tag = named else { return nil }
        guard (1...Int(KMC_TAG_MAX)).contains(tag.utf8.count) else {
            throw refusal(text, "has a tag that is not 1 to \(KMC_TAG_MAX) bytes long")
        }
        return String(tag)
    }

    private static func split(_ text: String, of whole: String) throws(Failure) -> (host: String, port: String?) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw refusal(whole, "has no closing bracket") }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw refusal(whole, "goes on behind the bracket") }
            return (
                String(text[text.index(after: text.startIndex)..<end]), rest.isEmpty ? nil : String(rest.dropFirst())
            )
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // More than one colon: an IPv6 address without brackets, which has no room for a port.
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : (text, nil)
    }

    /// As memcached: what cannot be listened on is no question of usage.
    private static func refusal(_ text: String, _ why: String) -> Failure {
        Failure("the address \"\(text)\" of -l \(why)", status: ExitStatus.system)
    }
}
