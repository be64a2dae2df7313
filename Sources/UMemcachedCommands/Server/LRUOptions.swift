// SPDX-License-Identifier: MIT

import KMCControl

/// The suboptions of `-o` that are about who is evicted and how the expired are found. Ranges are memcached 1.6.45's.
enum LRUOptions {
    static let suboptions: [OptionRow] = [
        .suboption(
            "lru_maintainer", nil, .effect { $0.maintainLRU(true) },
            "keep new items, those in use and the others in LRUs of their own (default)"),
        .suboption("no_lru_maintainer", nil, .effect { $0.maintainLRU(false) }, "one LRU for each slab class"),
        .suboption(
            "hot_lru_pct", "PERCENT", .number(.u32(\.settings.hotPercent), 1...79, .one), preset: "20",
            "how much of a slab class new items may take"),
        .suboption(
            "warm_lru_pct", "PERCENT", .number(.u32(\.settings.warmPercent), 1...79, .one), preset: "40",
            "how much of a slab class items in use may take"),
        .suboption(
            "hot_max_factor", "FACTOR", .number(.u32(\.settings.hotMaxFactor), 1...1_000_000_000, .partInThousandths),
            preset: "0.2", "new items become cold at this part of the cold LRU's age"),
        .suboption(
            "warm_max_factor", "FACTOR", .number(.u32(\.settings.warmMaxFactor), 1...1_000_000_000, .partInThousandths),
            preset: "2.0", "items in use become cold at this part of the cold LRU's age"),
        .suboption(
            "temporary_ttl", "SECONDS", .number(.u32(\.settings.temporaryTTL), 0...Int64(Int32.max), .one),
            "never evict items that live no longer than this"),
        .suboption(
            "lru_crawler", nil, .set(\.settings.lruCrawler, true), "look for expired items in the background (default)"),
        .suboption("no_lru_crawler", nil, .set(\.settings.lruCrawler, false), "leave them until somebody meets them"),
        .suboption(
            "lru_crawler_sleep", "MICROSECONDS", .number(.u32(\.settings.lruCrawlerSleep), 0...1_000_000, .one),
            preset: "100", "pause after 1000 items that were looked at"),
        .suboption(
            "lru_crawler_tocrawl", "N", .number(.u32(\.settings.lruCrawlerMost), 0...Int64(UInt32.max), .exact),
            preset: "0", "items of a slab class to look at in one run; 0 for all"),
    ]
}
