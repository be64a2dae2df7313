// SPDX-License-Identifier: MIT

import KMCControl

/// A step of SIGHUP: reads something again and gives it to the instance. One that fails is told, and the server goes on
/// with what it had.
typealias Reload = (_ control: Control, _ id: UInt32) throws(Failure) -> Void

extension Start {
    /// What SIGHUP renews: a step for each file that the command line named. `-P` and `MEMCACHED_PORT_FILENAME` are
    /// written only.
    static func reloads(_ authentication: Authentication?) -> [Reload] {
        guard let authentication else { return [] }
        func users(_ control: Control, _ id: UInt32) throws(Failure) {
            let table = try authentication.table()
            do {
                try control.replaceUsers(of: .id(id), with: table)
            } catch {
                throw Failure(error)
            }
        }
        return [users]
    }
}
