// SPDX-License-Identifier: MIT

/// Owns what a workload's connections share. Nothing in it changes after init, so threads read it freely.
final class Plan: @unchecked Sendable {
    /// In which order keys are named.
    enum Order {
        /// Each key once.
        case sequential
        /// Drawn by the workload's popularity, with its seed.
        case random
    }

    let workload: Workload
    let script: UnsafePointer<Script>
    private let storage: UnsafeMutablePointer<Script>

    init(_ workload: Workload, order: Order = .random, framed: Bool = false) {
        precondition(workload.complaint == nil)
        self.workload = workload
        storage = .allocate(capacity: 1)
        storage.initialize(to: Script(workload, order: order, framed: framed))
        script = UnsafePointer(storage)
    }

    deinit {
        storage.pointee.deallocate()
        storage.deallocate()
    }
}
