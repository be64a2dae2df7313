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
        ("proto[ascii]:h:1", ListenAddress(host: "h", port: 1, wireProtocol: .text)),
        ("proto[binary]:*", ListenAddress(host: nil, port: nil, wireProtocol: .binary)),
        ("proto[negotiating]:[::1]:1", ListenAddress(host: "::1", port: 1, wireProtocol: .auto)),
        ("proto[a]:h", ListenAddress(host: "h", port: nil, wireProtocol: .text)),
        ("tag_b_:127.0.0.1:2", ListenAddress(host: "127.0.0.1", port: 2, tag: "b")),
        ("tag[12345678]:::1", ListenAddress(host: "::1", port: nil, tag: "12345678")),
        ("proto[b]:tag_a b_:h", ListenAddress(host: "h", port: nil, wireProtocol: .binary, tag: "a b")),
        ("protocol.example:1", ListenAddress(host: "protocol.example", port: 1)),
        ("taghost", ListenAddress(host: "taghost", port: nil)),
    ])
    func isRead(text: String, address: ListenAddress) throws {
        #expect(try ListenAddress(text) == address)
    }

    @Test(arguments: ["[::1", "[::1]9", "host:port", "host:", "host:65536", "host:-2", ":11", "[]:9", "host:9x",
        "notls:h", "btls:h:1", "mtls:h", "proto[ascii:h", "proto[ascii]h", "proto[]x:h", "proto[proxy]:h", "proto[http]:h",
        "tag_:h", "tag__:h", "tag[]:h", "tag[123456789]:h", "tag_123456789_:h", "tag_ab_h", "tag_a_:", "proto[ascii]:"])
    func isRefused(text: String) {
        #expect(failure { () throws(Failure) in try ListenAddress(text) }?.status == 71)
    }
}
