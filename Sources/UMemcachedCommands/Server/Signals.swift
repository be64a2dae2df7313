// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import KMCControl

/// The signals that end an attached server, as a descriptor to poll.
///
/// They are blocked from ``init()`` on: one that comes while the server is being made waits until somebody looks.
final class Signals {
    let descriptor: Int32

    /// SIGHUP is taken and passed over: memcached goes on, too.
    private static let taken = [SIGINT, SIGTERM, SIGUSR1, SIGHUP]

    init() throws(Failure) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Self.taken { sigaddset(&set, signal) }
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw Self.failed("sigprocmask") }
        signal(SIGPIPE, SIG_IGN)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else { throw Self.failed("signalfd") }
    }

    deinit { close(descriptor) }

    /// Whether a signal that ends the server has come.
    func endingHasCome() -> Bool {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(descriptor, &info, size) == size {
            if info.ssi_signo != UInt32(SIGHUP) { return true }
        }
        return false
    }

    private static func failed(_ call: String) -> Failure {
        Failure("\(call) failed: \(describe(errno: errno))", status: ExitStatus.system)
    }
}
