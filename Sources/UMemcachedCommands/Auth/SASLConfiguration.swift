// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// What libsasl2 is told of memcached: lines of `KEY: VALUE` (cyrus-sasl, options).
struct SASLConfiguration: Equatable {
    /// The variable that names the file, or the folder it is in.
    static let variable = "SASL_CONF_PATH"
    /// Where it is else, the first that is there (memcached 1.6.45, sasl_defs.c).
    static let places = [
        "/etc/sasl/memcached.conf/memcached.conf", "/etc/sasl/memcached.conf",
        "/etc/sasl2/memcached.conf/memcached.conf", "/etc/sasl2/memcached.conf",
    ]

    /// libsasl2's default.
    var database = "/etc/sasldb2"
    /// Who is asked for passwords; `nil`: not said, which means the database.
    var check: String?

    init() {}

    init(_ text: [UInt8]) {
        for line in text.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = Self.trimmed(line[(colon + 1)...])
            switch Self.trimmed(line[..<colon]) {
            case "sasldb_path": database = value
            case "pwcheck_method": check = value
            default: break
            }
        }
    }

    /// The one of this machine, or libsasl2's defaults where there is none.
    static func found(_ named: String? = getenv(variable).map { String(cString: $0) }) throws(Failure) -> SASLConfiguration {
        let candidates = named.map { [$0 + "/memcached.conf", $0] } ?? places
        for path in candidates {
            if let text = Users.contents(of: path) { return SASLConfiguration(text) }
        }
        guard let named else { return SASLConfiguration() }
        throw Failure(
            "cannot read \(printable(named)), which \(variable) names: \(describe(errno: errno))", status: ExitStatus.failure)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        let begun = bytes.drop { blanks.contains($0) }
        return String(decoding: begun.reversed().drop { blanks.contains($0) }.reversed(), as: UTF8.self)
    }
}
