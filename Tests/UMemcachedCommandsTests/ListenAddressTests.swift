// SPDX-License-Identifier: MIT

import Testing

@testable import UMemcachedCommands

struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1", ListenAddress(host: "127.0.0.1", port: nil)),
        ("127.0.0.1:11", ListenAddress(host: "127.0.0.1", port: 11)),
        ("localhost:-1", ListenAddress(host: "localhost", port: -1)),
        ("*", ListenAddress(host: nil, port: nil)),
        ("*:7", ListenAddress(host: nil, port: 7)),
        ("::1", ListenAddress(host: "::1", port: nil)),
        ("fe80::1%lo", ListenAddress(host: "fe80::1%lo", port: nil)),
        ("[::1]", ListenAddress(host: "::1", port: nil)),
        ("[::1]:9", ListenAddress(host: "::1", port: 9)),
        ("[::]:0", ListenAddress(host: "::", port: 0)),
    ])
    func isRead(text: String, address: ListenAddress) throws {
        #expect(try ListenAddress(text) == address)
    }

    @Test(arguments: ["[::1", "[::1]9", "host:port", "host:", "host:65536", "host:-2", ":11", "[]:9", "host:9x"])
    func isRefused(text: String) {
        #expect(failure { () throws(Failure) in try ListenAddress(text) }?.status == 71)
    }
}
