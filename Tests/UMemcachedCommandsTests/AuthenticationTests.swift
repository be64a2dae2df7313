// SPDX-License-Identifier: MIT

import Testing

@testable import KMCControl
@testable import UMemcachedCommands

struct AuthenticationTests {
    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func users(_ text: String, _ form: Users.Form = .authFile) throws -> [String] {
        try Users(Array(text.utf8), form: form, path: "users").users.map {
            String(decoding: $0.name, as: UTF8.self) + "|" + String(decoding: $0.password, as: UTF8.self)
        }
    }

    private static func complaint(_ text: String) -> String? {
        do {
            _ = try users(text)
            return nil
        } catch {
            return (error as? Failure)?.sentence
        }
    }

    /// FIPS 180-4's examples, and lengths around a block.
    @Test(
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        ])
    func hashes(text: String, digest: String) {
        #expect(Self.hex(SHA256.digest(Array(text.utf8))) == digest)
    }

    /// The same as Tests/Core/proto/test_auth.c demands of the module.
    @Test func aDigestIsThatOfTheContract() {
        let user = Users.User(name: Array("user".utf8), password: Array("pass".utf8))
        let digest = Users.digest(of: user, salt: Array(repeating: 7, count: 32), rounds: 2)
        #expect(Self.hex(digest) == "ddbc2f33f6b83559f0ee559230f46e6e8959546595f128ad4e0da48ad41ca09e")
    }

    @Test func tablesDoNotShareASalt() throws {
        let users = try Users(Array("a:b\na:b\nc:d".utf8), form: .authFile, path: "users")
        let one = users.table(), other = users.table()
        #expect(one.salt.count == AuthTable.saltLength && one.salt != other.salt)
        #expect(one.digests.count == 3 && one.digests[0] == one.digests[1] && one.digests[0] != one.digests[2])
        #expect(one.digests[0] != other.digests[0])
    }

    @Test func aFileOfUsersIsReadAsMemcachedDoes() throws {
        #expect(try Self.users("foo:bar\nbaz:quux\n") == ["foo|bar", "baz|quux"])
        #expect(try Self.users("foo:bar") == ["foo|bar"])
        #expect(try Self.users("a:b:c d\r\n:nobody\nempty:\n") == ["a|b:c d", "|nobody", "empty|"])
        #expect(try Self.users("") == [])
    }

    @Test func aPasswordDatabaseHasMoreBehindThePassword() throws {
        #expect(
            try Self.users("# nobody\nfoo:bar:more:still\n\nbaz:quux\r\n", .passwordDatabase) == ["foo|bar", "baz|quux"])
    }

    @Test func whatIsWrongWithAFileIsSaidWithItsLine() {
        #expect(Self.complaint("foo:bar\nnone\n")?.contains("line 2") == true)
        #expect(Self.complaint("foo:bar\n\n")?.contains("line 2") == true)
        #expect(Self.complaint("a:" + String(repeating: "b", count: 253))?.contains("254 bytes") == true)
        #expect(Self.complaint("a:" + String(repeating: "b", count: 252)) == nil)
        #expect(Self.complaint(String(repeating: "a:b\n", count: 257))?.contains("256") == true)
        #expect(Self.complaint(String(repeating: "a:b\n", count: 256)) == nil)
    }

    @Test func whoMustSayWhoItIsSpeaksOneProtocol() throws {
        var options = ServerOptions()
        #expect(try Authentication.asked(by: options, database: "/db") == nil)
        options.authFile = "/users"
        #expect(try Authentication.asked(by: options, database: nil) == .text(path: "/users"))
        options.authFile = nil
        options.sasl = true
        #expect(try Authentication.asked(by: options, database: "/db") == .sasl(path: "/db"))
        #expect(try Authentication.asked(by: options, database: nil) == .sasldb)
        #expect(try Authentication.asked(by: options, database: "") == .sasldb)
        #expect(Authentication.sasl(path: "").wireProtocol == .binary)
        #expect(Authentication.text(path: "").wireProtocol == .text)
    }

    @Test func aRelativePathIsMadeWhole() throws {
        var options = ServerOptions()
        options.authFile = "users"
        guard case .text(let path) = try Authentication.asked(by: options, database: nil) else {
            Issue.record("not in text")
            return
        }
        #expect(path.hasPrefix("/") && path.hasSuffix("/users"))
    }
}
