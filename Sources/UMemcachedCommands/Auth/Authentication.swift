// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Whether clients must say who they are, and where it is written who may come in.
enum Authentication: Equatable, Sendable {
    /// `-Y FILE`: in the text protocol.
    case text(path: String)
    /// `-S`: SASL PLAIN in the binary protocol; the file of `MEMCACHED_SASL_PWDB`.
    case sasl(path: String)
    /// `-S` with a database of libsasl2's, as its configuration for memcached names it.
    case sasldb

    /// memcached's variable that names the file of `-S`.
    static let databaseVariable = "MEMCACHED_SASL_PWDB"

    var mode: AuthenticationMode {
        switch self {
        case .text: .text
        case .sasl, .sasldb: .sasl
        }
    }

    /// What listeners speak, and nothing else: there is no other way to say who one is.
    var wireProtocol: WireProtocol {
        switch self {
        case .text: .text
        case .sasl, .sasldb: .binary
        }
    }

    /// Reads the file, anew each time.
    func table() throws(Failure) -> AuthTable {
        switch self {
        case .text(let path): return try Users(path: path, form: .authFile).table()
        case .sasl(let path): return try Users(path: path, form: .passwordDatabase).table()
        case .sasldb: return try SASLDatabase.users(SASLConfiguration.found()).table()
        }
    }

    /// What a command line asks for.
    ///
    /// - Parameter database: the value of ``databaseVariable``
    static func asked(
        by options: ServerOptions, database: String? = getenv(databaseVariable).map { String(cString: $0) }
    ) throws(Failure) -> Authentication? {
        if let path = options.authFile { return .text(path: absolute(path)) }
        guard options.sasl else { return nil }
        guard let database, !database.isEmpty else { return .sasldb }
        return .sasl(path: absolute(database))
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }
}

/// Who may come in to an instance that is being made; both are there or none.
struct Access {
    let authentication: Authentication?
    let table: AuthTable?

    init(_ authentication: Authentication?, _ table: AuthTable?) {
        self.authentication = authentication
        self.table = table
    }
}
