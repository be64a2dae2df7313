// SPDX-License-Identifier: MIT

/// An address as it is written behind `-l`: `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`, `V6`, `*`, `*:PORT`.
struct ListenAddress: Equatable, Sendable {
    /// `nil`: every address of the machine.
    var host: String?
    /// `nil`: the port of `-p`.
    var port: Int32?

    init(host: String?, port: Int32?) {
        self.host = host
        self.port = port
    }

    init(_ text: String) throws(Failure) {
        let (host, port) = try Self.split(text)
        guard !host.isEmpty else { throw Self.refusal(text, "has no host: write *:PORT for every address") }
        self.host = host == "*" ? nil : host
        self.port = try port.map { (digits) throws(Failure) in
            guard let port = Int32(digits), (-1...65_535).contains(port) else {
                throw Self.refusal(text, "has a port that is not a number from 0 to 65535")
            }
            return port
        }
    }

    private static func split(_ text: String) throws(Failure) -> (host: String, port: String?) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw refusal(text, "has no closing bracket") }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw refusal(text, "goes on behind the bracket") }
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
