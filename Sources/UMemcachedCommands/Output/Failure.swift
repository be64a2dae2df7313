// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// What the tool exits with: memcached's statuses, which are those of sysexits.h.
public enum ExitStatus {
    public static let success: Int32 = 0
    /// Anything that has no status of its own.
    public static let failure: Int32 = 1
    /// A command line that cannot be followed (`EX_USAGE`).
    public static let usage: Int32 = EX_USAGE
    /// No such user (`EX_NOUSER`).
    public static let noUser: Int32 = EX_NOUSER
    /// The system or the module refused: bind, listen, permission, module not loaded (`EX_OSERR`).
    public static let system: Int32 = EX_OSERR
}

/// A failure as a person sees it: one sentence that says what to do, and the exit status.
public struct Failure: Error, Equatable, Sendable {
    public var sentence: String
    public var status: Int32

    public init(_ sentence: String, status: Int32) {
        self.sentence = sentence
        self.status = status
    }

    /// What the module or the road to it refused.
    public init(_ error: ControlError) {
        let status =
            switch error {
            case .refused(EINVAL, _), .refused(ERANGE, _): ExitStatus.usage
            case .refused(ENOENT, _): ExitStatus.failure
            default: ExitStatus.system
            }
        self.init(error.sentence, status: status)
    }
}

/// Runs what may throw the module's errors, as something that throws failures.
func asFailure<Result>(_ body: () throws(ControlError) -> Result) throws(Failure) -> Result {
    do { return try body() } catch { throw Failure(error) }
}

/// As ``asFailure(_:)``; `nil` when the instance ended meanwhile.
func unlessGone<Result>(_ body: () throws(ControlError) -> Result) throws(Failure) -> Result? {
    do {
        return try body()
    } catch {
        if error.isNotFound { return nil }
        throw Failure(error)
    }
}
