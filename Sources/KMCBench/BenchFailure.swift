// SPDX-License-Identifier: MIT

import Glibc

/// Why a run ended early: one sentence.
public struct BenchFailure: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A system call's failure.
    init(_ what: String, errno code: Int32) {
        self.init("\(what): \(String(cString: strerror(code)))")
    }
}
