// SPDX-License-Identifier: MIT

/// The counters of `stats` that follow from the commands alone.
public struct Counters: Equatable, Sendable {
    public var getCommands = 0, setCommands = 0, flushCommands = 0, touchCommands = 0
    public var getHits = 0, getMisses = 0
    public var deleteHits = 0, deleteMisses = 0
    public var incrementHits = 0, incrementMisses = 0
    public var decrementHits = 0, decrementMisses = 0
    public var casHits = 0, casMisses = 0, casBadValues = 0
    public var touchHits = 0, touchMisses = 0
    public var tooLarge = 0
    public var totalItems = 0

    public init() {}

    /// The counters under their names in `stats`.
    public static let names: [(name: String, path: KeyPath<Counters, Int> & Sendable)] = [
        ("cmd_get", \.getCommands), ("cmd_set", \.setCommands), ("cmd_flush", \.flushCommands),
        ("cmd_touch", \.touchCommands), ("get_hits", \.getHits), ("get_misses", \.getMisses),
        ("delete_misses", \.deleteMisses), ("delete_hits", \.deleteHits),
        ("incr_misses", \.incrementMisses), ("incr_hits", \.incrementHits),
        ("decr_misses", \.decrementMisses), ("decr_hits", \.decrementHits),
        ("cas_misses", \.casMisses), ("cas_hits", \.casHits), ("cas_badval", \.casBadValues),
        ("touch_hits", \.touchHits), ("touch_misses", \.touchMisses),
        ("store_too_large", \.tooLarge), ("total_items", \.totalItems),
    ]

    public var statistics: [Statistic] {
        Self.names.map { Statistic($0.name, "\(self[keyPath: $0.path])") }
    }
}
