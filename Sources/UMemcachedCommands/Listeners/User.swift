// SPDX-License-Identifier: MIT

import Glibc

/// A user of this machine.
struct User: Equatable {
    let name: String
    let id: uid_t
    let group: gid_t

    init(named name: String) throws(Failure) {
        guard let entry = getpwnam(name) else {
            throw Failure("there is no user \"\(name)\": give one that there is with -u", status: ExitStatus.noUser)
        }
        self.name = name
        id = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }
}
