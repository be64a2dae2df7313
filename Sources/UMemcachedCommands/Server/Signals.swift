// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import KMCControl

/// The signals that an attached server's process follows, as a descriptor to poll.
///
/// They are blocked from ``init()`` on: one that comes while the server is being made waits until somebody looks.
final class Signals {
    /// What a signal asks for.
    enum Order: Equatable {
        case stop
        /// SIGUSR1. In the kernel a stop lets every request that has begun come to its end anyhow.
        case stopGracefully
        /// SIGHUP.
        case reload
    }

    let descriptor: Int32

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

    /// What the next signal that has come asks for; `nil`: none has come.
    func next() -> Order? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(descriptor, &info, size) == size else { return nil }
        switch Int32(info.ssi_signo) {
        case SIGHUP: return .reload
        case SIGUSR1: return .stopGracefully
        default: return .stop
        }
    }

    private static func failed(_ call: String) -> Failure {
        Failure("\(call) failed: \(describe(errno: errno))", status: ExitStatus.system)
    }
}
