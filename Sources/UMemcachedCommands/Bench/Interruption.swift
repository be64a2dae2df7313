// SPDX-License-Identifier: MIT

import Glibc
import Synchronization

/// The first Ctrl-C of a run: it asks for the summary. A second one ends the program as ever.
enum Interruption {
    private static let seen = Atomic<Bool>(false)

    static var came: Bool { seen.load(ordering: .relaxed) }

    /// From now on the next SIGINT is noted, and interrupts the system call that the main thread waits in.
    static func catchFirst() {
        seen.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interruption.seen.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(SIGINT, &action, nil)
    }
}
