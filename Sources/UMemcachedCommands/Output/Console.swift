// SPDX-License-Identifier: MIT

import Glibc

/// What the tool says, and where.
enum Console {
    static func out(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// One sentence on standard error, behind the program's name.
    static func complain(_ sentence: String, as program: String) {
        write("\(program): \(printable(sentence))\n", to: STDERR_FILENO)
    }

    /// Everything, in as many writes as it takes. A reader that went away ends it.
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// Text that may hold what a client sent, made safe for a terminal: printable ASCII stays, any other byte is shown
/// as `\xNN`.
func printable(_ text: String) -> String {
    guard !text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { return text }
    var safe = ""
    for byte in text.utf8 {
        if (0x20...0x7e).contains(byte) {
            safe.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            safe += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
    return safe
}
