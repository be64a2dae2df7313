// SPDX-License-Identifier: MIT

/// Owns what a workload's connections share: the templates, the pool and the schedule of keys. Nothing in it changes
/// after init, so threads read it freely.
final class Plan: @unchecked Sendable {
    /// In which order keys are named.
    enum Order {
        /// Each key once.
        case sequential
        /// Uniformly, with the workload's seed.
        case random
    }

    /// The longest schedule of drawn keys, in keys; then it starts again.
    private static let longestDraw = 1 << 22
    private static let shortestDraw = 1 << 16

    let workload: Workload
    let templates: UnsafePointer<Templates>
    private let storage: UnsafeMutablePointer<Templates>

    init(_ workload: Workload, order: Order = .random) {
        precondition(workload.complaint == nil)
        self.workload = workload
        storage = .allocate(capacity: 1)
        storage.initialize(to: Templates(workload, schedule: Self.schedule(workload, order)))
        templates = UnsafePointer(storage)
    }

    deinit {
        storage.pointee.deallocate()
        storage.deallocate()
    }

    private static func schedule(_ workload: Workload, _ order: Order) -> UnsafeMutableBufferPointer<KeyName> {
        let wanted = order == .sequential ? workload.keys : min(max(workload.keys, shortestDraw), longestDraw)
        let length = 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
        let schedule = UnsafeMutableBufferPointer<KeyName>.allocate(capacity: max(length, 1))
        var random = SplitMix64(seed: workload.seed)
        let keys = UInt32(workload.keys)
        for place in 0..<schedule.count {
            let number = order == .sequential ? UInt32(place) % keys : UInt32.random(in: 0..<keys, using: &random)
            schedule.initializeElement(at: place, to: KeyName(number))
        }
        return schedule
    }
}
