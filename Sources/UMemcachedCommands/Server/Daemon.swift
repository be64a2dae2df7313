// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import KMCControl

/// The background process of `-d`, which owns the server.
///
/// memcached's caller goes at once; ours waits until clients can connect, so that its status tells whether they can.
struct Daemon {
    /// Who returns from ``split()``.
    enum Side {
        /// The process that was called: its work is done.
        case caller(status: Int32)
        case background(Daemon)
    }

    /// Where the caller waits for a byte.
    private let word: Int32

    /// Leaves the caller's session and directory, as memcached does: paths that do not begin with `/` begin there.
    static func split() throws(Failure) -> Side {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else { throw failed("pipe") }
        let child = process_fork()
        guard child >= 0 else { throw failed("fork") }
        guard child == 0 else {
            close(ends[1])
            defer { close(ends[0]) }
            return .caller(status: try wait(for: child, ends[0]))
        }
        close(ends[0])
        guard setsid() >= 0, chdir("/") == 0 else { throw failed("going to the background") }
        return .background(Daemon(word: ends[1]))
    }

    /// Lets the caller go. With `quiet` nothing is read or printed from here on.
    func serves(quiet: Bool) throws(Failure) {
        if quiet {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            guard null >= 0, [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO].allSatisfy({ dup2(null, $0) >= 0 }) else {
                throw Self.failed("opening /dev/null")
            }
            close(null)
        }
        Console.write("+", to: word)
        close(word)
    }

    /// - Returns: 0 once the child serves, its own status if it ended before
    private static func wait(for child: pid_t, _ word: Int32) throws(Failure) -> Int32 {
        var byte: UInt8 = 0
        while true {
            let count = read(word, &byte, 1)
            if count == 1 { return ExitStatus.success }
            if count == 0 || errno != EINTR { break }
        }
        var status: Int32 = 0
        guard waitpid(child, &status, 0) == child, status & 0x7f == 0 else {
            throw Failure("the background process was killed before it served", status: ExitStatus.failure)
        }
        return status >> 8 & 0xff
    }

    private static func failed(_ call: String) -> Failure {
        Failure("\(call) failed: \(describe(errno: errno))", status: ExitStatus.failure)
    }
}
