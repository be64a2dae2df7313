// SPDX-License-Identifier: MIT

import KMCProtocolModel

extension Stage {
    /// Says some things on a connection that has not said who it is, whole and in drops, and compares with the gate's answers.
    fileprivate func meetGate(_ said: [Bytes]) throws {
        let target = executor.target
        guard let login = target.login else { return }
        for pieces in [nil, 1, 7] {
            var gate = login.gate(version: target.version)
            let wanted = said.flatMap { gate.receive($0) }
            let socket = try Socket(target.endpoint, timeout: target.timeout)
            var seen: Bytes = []
            let whole = said.flatMap { $0 }
            for piece in pieces.map({ whole.cut($0) }) ?? [whole] where try !socket.send(piece, arriving: { seen += $0 }) { break }
            while seen.count < wanted.count || gate.isClosed {
                guard let more = try socket.receive() else { break }
                seen += more
            }
            guard seen == wanted else {
                throw Finding(
                    expected: "\(wanted.escaped(limit: 300)) to \(whole.escaped(limit: 200))", seen: seen.escaped(limit: 300))
            }
        }
    }

    fileprivate func meetTextGate() throws {
        guard let login = executor.target.login else { return }
        let lines = ["get \(key("a"))", "version", "stats", "mg abc v", "flush_all", "shutdown", "set a 0 0", "gets a b c", "set who 0 0 x", "nonsense"]
        for line in lines { try meetGate([.line(line)]) }
        try meetGate(lines.map { .line($0) })
        for password in ["", "x", login.password + "x", String(login.password.dropLast()), String(repeating: "y", count: 1000)] {
            try meetGate([login.request(password: password)])
        }
        let right = "\(login.user) \(login.password)"
        for token in ["", login.user, right + " ", " " + right, "\(login.user)  \(login.password)"] { try meetGate([Login.token(Bytes(token))]) }
        try meetGate([.line("set who 0 0 \(right.utf8.count)") + Bytes(right) + Bytes("xx")])
        try meetGate([.line("set who 5 -1 \(right.utf8.count) whatever else") + .line(right)])
        try meetGate([.line("version"), login.request(password: "wrong"), login.request()])
    }

    fileprivate func meetBinaryGate() throws {
        guard let login = executor.target.login else { return }
        let asked = [0x0B, 0x20, 0x0B].map { BinaryFrame($0, opaque: 3).encoded(BinaryFrame.requestMagic) }
        try meetGate(asked)
        for password in ["", "x", login.password + "x", String(login.password.dropLast())] { try meetGate([login.request(password: password)]) }
        try meetGate([Login.plain(Bytes("\0\(login.user)\0\(login.password)"), mechanism: "CRAM-MD5")])
        for token in ["", "\0", "\0\0", "\0\(login.user)", login.user, "\0\(login.user)\0\(login.password)\0"] { try meetGate([Login.plain(Bytes(token))]) }
        let begin = Login.plain([]), right = Bytes("\0\(login.user)\0\(login.password)")
        try meetGate([Login.plain(right, 0x22)])
        try meetGate([begin, Login.plain(right, 0x22)])
        try meetGate([begin, Login.plain(Bytes("\0\(login.user)\0x"), 0x22)])
        try meetGate([begin, begin, Login.plain(right)])
        for opcode in BinaryOpcode.all where opcode.code != 0x0B {
            try meetGate([BinaryFrame(opcode.code, opaque: 4).encoded(BinaryFrame.requestMagic)])
        }
        try meetGate(asked + [login.request(password: "wrong"), login.request()])
    }
}

extension Scenario {
    static let logins: [Scenario] = [
        Scenario("login-text", "before the password nothing is served, line by line, and only the right one opens", needs: [.textLogin, .stream]) {
            try $0.meetTextGate()
        },
        Scenario("login-sasl", "before PLAIN nothing is served but version and mechanisms, and only the right password opens", needs: [.saslLogin, .stream]) {
            try $0.meetBinaryGate()
        },
    ]
}
