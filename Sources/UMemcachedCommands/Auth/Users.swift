// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// Names and passwords, from a file. They go no further than this process.
struct Users: Equatable {
    /// One who may come in. A name may be there more than once: each of its passwords will do.
    struct User: Equatable {
        let name: [UInt8]
        let password: [UInt8]
    }

    /// How a file is written.
    enum Form {
        /// `NAME:PASSWORD` in each line, as `-Y` has it. A password may hold colons.
        case authFile
        /// `NAME:PASSWORD[:ANYTHING]`, as `MEMCACHED_SASL_PWDB` has it. Lines without a colon are passed over.
        case passwordDatabase
    }

    /// The longest line, its end included (memcached 1.6.45, MAX_ENTRY_LEN - 1).
    private static let longestLine = 255

    let users: [User]

    init(path: String, form: Form) throws(Failure) {
        guard let text = Self.contents(of: path) else {
            throw Failure(
                "cannot read the users' file \(printable(path)): \(describe(errno: errno))", status: ExitStatus.failure)
        }
        try self.init(text, form: form, path: path)
    }

    init(_ text: [UInt8], form: Form, path: String) throws(Failure) {
        var users: [User] = []
        // What ends with its last line's end has no line behind it.
        let whole = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        let lines = whole.isEmpty ? [] : whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            guard let user = Self.user(in: line, form) else {
                guard form == .authFile else { continue }
                throw Failure(
                    "\(printable(path)), line \(number + 1): write NAME:PASSWORD", status: ExitStatus.failure)
            }
            guard line.count < Self.longestLine else {
                throw Failure(
                    "\(printable(path)), line \(number + 1): a line may have at most \(Self.longestLine - 1) bytes",
                    status: ExitStatus.failure)
            }
            users.append(user)
        }
        try self.init(users, path: path)
    }

    /// - Parameter path: where they were read, for a sentence
    init(_ users: [User], path: String) throws(Failure) {
        guard users.count <= AuthTable.mostUsers else {
            throw Failure(
                "\(printable(path)) has \(users.count) users: at most \(AuthTable.mostUsers) can come in",
                status: ExitStatus.failure)
        }
        self.users = users
    }

    /// - Returns: `nil` for a line that names nobody
    private static func user(in line: ArraySlice<UInt8>, _ form: Form) -> User? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var end: [UInt8] = [UInt8(ascii: "\r"), 0]
        if form == .passwordDatabase { end.append(UInt8(ascii: ":")) }
        let password = line[(colon + 1)...].prefix { !end.contains($0) }
        return User(name: Array(line[..<colon]), password: Array(password))
    }

    static func contents(of path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &piece, piece.count)
            if count == 0 { return text }
            if count < 0 && errno != EINTR { return nil }
            if count > 0 { text += piece[..<count] }
        }
    }
}

extension Users {
    /// Cheap enough for the kernel to compute between two packets: docs/security.md says why.
    static let rounds: UInt32 = 128

    /// What the module is given.
    func table(salt: [UInt8] = Users.freshSalt()) -> AuthTable {
        AuthTable(
            salt: salt, rounds: Self.rounds,
            digests: users.map { Self.digest(of: $0, salt: salt, rounds: Self.rounds) })
    }

    /// As the contract has it (kmemcache.h, `KMC_CMD_AUTH`).
    static func digest(of user: User, salt: [UInt8], rounds: UInt32) -> [UInt8] {
        var digest = SHA256.digest(salt + SHA256.digest(user.name) + SHA256.digest(user.password))
        for _ in 0..<rounds { digest = SHA256.digest(digest + salt) }
        return digest
    }

    private static func freshSalt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<AuthTable.saltLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
