// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Who may come in, from a sasldb, as saslpasswd2(8) makes it.
///
/// libsasl2 tells whether a password is right, one at a time, but not who has one. The module asks nobody while it
/// serves, so all users go to it at once, and the file itself is read: a Berkeley DB hash whose keys are
/// `NAME\0REALM\0PROPERTY`.
enum SASLDatabase {
    private static let property = Array("userPassword".utf8)

    static func users(_ configuration: SASLConfiguration, host: [UInt8] = hostName()) throws(Failure) -> Users {
        if let check = configuration.check, !check.split(separator: " ").contains("auxprop") {
            throw Failure(
                "-S cannot ask \(printable(check)) for passwords: only a sasldb (pwcheck_method: auxprop) is read",
                status: ExitStatus.failure)
        }
        let path = configuration.database
        guard let file = Users.contents(of: path) else {
            throw Failure(
                "-S needs to know who may come in: cannot read \(printable(path)): \(describe(errno: errno)); name a sasldb "
                    + "with sasldb_path in the configuration of libsasl2 for memcached, or a file of NAME:PASSWORD lines "
                    + "with the environment variable \(Authentication.databaseVariable)", status: ExitStatus.failure)
        }
        guard let entries = BerkeleyHash(file)?.entries() else {
            throw Failure("\(printable(path)) is no sasldb: saslpasswd2(8) makes one", status: ExitStatus.failure)
        }
        let found = entries.flatMap { users($0, host) }
        guard !found.isEmpty else {
            throw Failure(
                "-S needs to know who may come in, and nobody is in \(printable(path)): add somebody with saslpasswd2(8), or "
                    + "name a file of NAME:PASSWORD lines with the environment variable \(Authentication.databaseVariable)",
                status: ExitStatus.failure)
        }
        return try Users(found, path: path)
    }

    /// Whoever is of this host's realm may leave it out, as with libsasl2.
    private static func users(_ entry: BerkeleyHash.Entry, _ host: [UInt8]) -> [Users.User] {
        let parts = entry.key.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        guard parts.count == 3, parts[2] == property else { return [] }
        let whole = Users.User(name: parts[0] + [UInt8(ascii: "@")] + parts[1], password: entry.data)
        return parts[1] == host ? [whole, Users.User(name: parts[0], password: entry.data)] : [whole]
    }

    private static func hostName() -> [UInt8] {
        var name = [UInt8](repeating: 0, count: 256)
        let failed = name.withUnsafeMutableBytes {
            gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), 255)
        }
        return failed != 0 ? [] : Array(name.prefix { $0 != 0 })
    }
}
