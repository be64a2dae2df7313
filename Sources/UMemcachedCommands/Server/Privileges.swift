// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import KMCControl

/// What the process that stays may do once the server runs.
enum Privileges {
    /// Becomes `user` and keeps CAP_NET_ADMIN alone, which stopping and reloading the server need.
    static func drop(to user: User, as program: String) throws(Failure) {
        guard prctl_set(PR_SET_KEEPCAPS, 1) == 0 else { throw failed("keeping a capability") }
        if setgroups(0, nil) != 0 {
            let reason = errno
            // Where that is not permitted there are no further groups to lose, or they are meant to stay.
            guard reason == EPERM else { throw failed("dropping groups", reason) }
            Console.complain("the supplementary groups stay: \(describe(errno: reason))", as: program)
        }
        guard setgid(user.group) == 0, setuid(user.id) == 0 else { throw failed("becoming \(user.name)") }
        guard capabilities_keep_net_admin() == 0 else { throw failed("dropping capabilities") }
        guard prctl_set(PR_SET_KEEPCAPS, 0) == 0, prctl_set(PR_SET_NO_NEW_PRIVS, 1) == 0 else {
            throw failed("giving up new privileges")
        }
    }

    private static func failed(_ what: String, _ reason: Int32 = errno) -> Failure {
        Failure("\(what) failed: \(describe(errno: reason))", status: ExitStatus.system)
    }
}
