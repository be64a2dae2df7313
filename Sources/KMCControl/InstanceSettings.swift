// SPDX-License-Identifier: MIT

import CKMemcacheUAPI

/// What the connections of a listener may speak (`enum kmc_protocol`).
public enum WireProtocol: UInt8, Sendable {
    /// Told by a connection's first byte.
    case auto = 0
    case text = 1
    case binary = 2
}

/// Names of hash functions (`enum kmc_hash_algorithm`).
public enum HashAlgorithm: UInt8, Sendable {
    case murmur3 = 0
    case jenkins = 1
    case xxh3 = 2
}

/// How clients must say who they are before anything else is served (`enum kmc_auth`).
public enum AuthenticationMode: UInt8, Sendable {
    case none = 0
    case text = 1
    case sasl = 2
}

/// Settings of an instance (`KMC_A_SETTINGS`). What is `nil` is not sent and keeps the module's default.
public struct InstanceSettings: Equatable, Sendable {
    /// Bytes for items (`-m`).
    public var memoryLimit: UInt64?
    /// Bytes of the memory limit that count as taken already (`T_MEMD_INITIAL_MALLOC`); for tests.
    public var initialMalloc: UInt64?
    /// False: refuse to store when full (`-M`).
    public var evict: Bool?
    /// Connections at the same time (`-c`).
    public var connectionLimit: UInt32?
    /// From one slab class to the next, in thousandths (`-f`).
    public var growthFactor: UInt32?
    /// Bytes for key, value and flags in the smallest slab class (`-n`).
    public var sizeMin: UInt32?
    /// Bytes of the largest item (`-I`).
    public var itemSizeMax: UInt32?
    /// Requests served before other connections get their turn (`-R`).
    public var requestsPerEvent: UInt32?
    /// What `listen(2)` was given (`-b`); shown, not used by the module.
    public var backlog: UInt32?
    /// False: items have no CAS value (`-C`).
    public var cas: Bool?
    /// Character between prefix and rest of a key (`-D`).
    public var prefixDelimiter: UInt8?
    /// Count by key prefix (`-D`).
    public var statsDetail: Bool?
    /// 0 to 3 (`-v`).
    public var verbose: UInt8?
    /// False: flush_all is refused (`-F`).
    public var flushEnabled: Bool?
    /// True: clients may stop the instance (`-A`).
    public var shutdownEnabled: Bool?
    /// Shown by stats (`-t`).
    public var threads: UInt32?
    /// What connections may speak (`-B`).
    public var wireProtocol: WireProtocol?
    /// Base-2 logarithm of the index' first size (`-o hashpower`).
    public var hashPower: UInt32?
    /// True: connections above the limit are told so and closed (`-o maxconns_fast`).
    public var maxconnsFast: Bool?
    /// Bytes; larger items are kept in chunks (`-o slab_chunk_max`).
    public var slabChunkMax: UInt32?
    /// Seconds, 0: never (`-o idle_timeout`).
    public var idleTimeout: UInt32?
    /// Bytes for what connections read and answer, 0: any (`-o read_buf_mem_limit`).
    public var readBufferLimit: UInt32?
    /// Permissions of the unix socket (`-a`); shown, not used by the module.
    public var unixMask: UInt32?
    /// What `-l` said; shown, not used by the module.
    public var interfaces: String?
    /// False: nobody looks after the LRUs (`-o no_lru_maintainer`).
    public var lruMaintainer: Bool?
    /// False: one LRU for each slab class; needs the maintainer.
    public var lruSegmented: Bool?
    /// Percent of a slab class for items that are new (`-o hot_lru_pct`).
    public var hotPercent: UInt32?
    /// Percent of a slab class for items in use (`-o warm_lru_pct`).
    public var warmPercent: UInt32?
    /// How old a new item may get, in thousandths of the cold LRU's age (`-o hot_max_factor`).
    public var hotMaxFactor: UInt32?
    /// How long an item in use may go unused, the same (`-o warm_max_factor`).
    public var warmMaxFactor: UInt32?
    /// Items of short life have an LRU of their own.
    public var temporaryLRU: Bool?
    /// How short, in seconds (`-o temporary_ttl`).
    public var temporaryTTL: UInt32?
    /// False: nobody looks for expired items (`-o no_lru_crawler`).
    public var lruCrawler: Bool?
    /// Microseconds after 1000 items (`-o lru_crawler_sleep`).
    public var lruCrawlerSleep: UInt32?
    /// Items of a class in one run, 0: all (`-o lru_crawler_tocrawl`).
    public var lruCrawlerMost: UInt32?
    /// Shown, not used by the module (`-o hash_algorithm`).
    public var hashAlgorithm: HashAlgorithm?
    /// False: the index grows only when it is full (`-o no_hashexpand`).
    public var hashExpand: Bool?
    /// Shown, not used by the module (`-o tail_repair_time`).
    public var tailRepairTime: UInt32?
    /// False: slab pages stay in their class (`-o no_slab_reassign`).
    public var slabReassign: Bool?
    /// 0 to 2: slab pages go where they are needed (`-o slab_automove`).
    public var slabAutomove: UInt32?
    /// How far apart ages must be for a page to go, in millionths (`-o slab_automove_ratio`).
    public var slabAutomoveRatio: UInt32?
    /// Seconds that are looked back upon (`-o slab_automove_window`).
    public var slabAutomoveWindow: UInt32?
    /// In millionths (the command `slabs automove freeratio`); not used by the module.
    public var slabAutomoveFreeRatio: UInt32?
    /// Sizes of chunks with dashes between (`-o slab_sizes`).
    public var slabSizes: String?
    /// True: `stats sizes` counts items (`-o track_sizes`).
    public var trackSizes: Bool?
    /// How clients must say who they are (`-Y`, `-S`).
    public var authentication: AuthenticationMode?
    /// The file of users; shown, not used by the module.
    public var authFile: String?

    /// False: keys are not listed, nor counted by prefix (`-X`).
    public var dumpEnabled: Bool?
    /// False: watch is refused (`-W`).
    public var watchEnabled: Bool?
    /// Bytes that may wait for a client that watches (`-o watcher_logbuf_size`).
    public var watcherLogBufferSize: UInt32?
    /// Shown by stats (`-o worker_logbuf_size`).
    public var workerLogBufferSize: UInt32?

    public init() {}
}

/// One setting on the wire: its attribute and the field that holds it.
struct SettingRow: Sendable {
    typealias Field<Value> = WritableKeyPath<InstanceSettings, Value?> & Sendable

    enum Place: Sendable {
        case bool(any Field<Bool>)
        case u8(any Field<UInt8>)
        case wireProtocol(any Field<WireProtocol>)
        case hashAlgorithm(any Field<HashAlgorithm>)
        case authentication(any Field<AuthenticationMode>)
        case u32(any Field<UInt32>)
        case u64(any Field<UInt64>)
        case string(any Field<String>)
    }

    let attribute: kmc_setting
    let place: Place
}

extension InstanceSettings {
    /// Both directions read this table. A type here is the type in the comment of `enum kmc_setting`.
    static let rows: [SettingRow] = [
        SettingRow(attribute: KMC_S_MEMORY_LIMIT, place: .u64(\.memoryLimit)),
        SettingRow(attribute: KMC_S_EVICT, place: .bool(\.evict)),
        SettingRow(attribute: KMC_S_CONN_LIMIT, place: .u32(\.connectionLimit)),
        SettingRow(attribute: KMC_S_GROWTH_FACTOR, place: .u32(\.growthFactor)),
        SettingRow(attribute: KMC_S_SIZE_MIN, place: .u32(\.sizeMin)),
        SettingRow(attribute: KMC_S_ITEM_SIZE_MAX, place: .u32(\.itemSizeMax)),
        SettingRow(attribute: KMC_S_REQS_PER_EVENT, place: .u32(\.requestsPerEvent)),
        SettingRow(attribute: KMC_S_BACKLOG, place: .u32(\.backlog)),
        SettingRow(attribute: KMC_S_CAS, place: .bool(\.cas)),
        SettingRow(attribute: KMC_S_PREFIX_DELIM, place: .u8(\.prefixDelimiter)),
        SettingRow(attribute: KMC_S_STATS_DETAIL, place: .bool(\.statsDetail)),
        SettingRow(attribute: KMC_S_VERBOSE, place: .u8(\.verbose)),
        SettingRow(attribute: KMC_S_FLUSH_ENABLED, place: .bool(\.flushEnabled)),
        SettingRow(attribute: KMC_S_SHUTDOWN_ENABLED, place: .bool(\.shutdownEnabled)),
        SettingRow(attribute: KMC_S_THREADS, place: .u32(\.threads)),
        SettingRow(attribute: KMC_S_PROTOCOL, place: .wireProtocol(\.wireProtocol)),
        SettingRow(attribute: KMC_S_HASHPOWER, place: .u32(\.hashPower)),
        SettingRow(attribute: KMC_S_MAXCONNS_FAST, place: .bool(\.maxconnsFast)),
        SettingRow(attribute: KMC_S_SLAB_CHUNK_MAX, place: .u32(\.slabChunkMax)),
        SettingRow(attribute: KMC_S_IDLE_TIMEOUT, place: .u32(\.idleTimeout)),
        SettingRow(attribute: KMC_S_UMASK, place: .u32(\.unixMask)),
        SettingRow(attribute: KMC_S_INTER, place: .string(\.interfaces)),
        SettingRow(attribute: KMC_S_LRU_MAINTAINER, place: .bool(\.lruMaintainer)),
        SettingRow(attribute: KMC_S_LRU_SEGMENTED, place: .bool(\.lruSegmented)),
        SettingRow(attribute: KMC_S_HOT_LRU_PCT, place: .u32(\.hotPercent)),
        SettingRow(attribute: KMC_S_WARM_LRU_PCT, place: .u32(\.warmPercent)),
        SettingRow(attribute: KMC_S_HOT_MAX_FACTOR, place: .u32(\.hotMaxFactor)),
        SettingRow(attribute: KMC_S_WARM_MAX_FACTOR, place: .u32(\.warmMaxFactor)),
        SettingRow(attribute: KMC_S_TEMP_LRU, place: .bool(\.temporaryLRU)),
        SettingRow(attribute: KMC_S_TEMPORARY_TTL, place: .u32(\.temporaryTTL)),
        SettingRow(attribute: KMC_S_LRU_CRAWLER, place: .bool(\.lruCrawler)),
        SettingRow(attribute: KMC_S_LRU_CRAWLER_SLEEP, place: .u32(\.lruCrawlerSleep)),
        SettingRow(attribute: KMC_S_LRU_CRAWLER_TOCRAWL, place: .u32(\.lruCrawlerMost)),
        SettingRow(attribute: KMC_S_HASH_ALGORITHM, place: .hashAlgorithm(\.hashAlgorithm)),
        SettingRow(attribute: KMC_S_HASH_EXPAND, place: .bool(\.hashExpand)),
        SettingRow(attribute: KMC_S_TAIL_REPAIR_TIME, place: .u32(\.tailRepairTime)),
        SettingRow(attribute: KMC_S_SLAB_REASSIGN, place: .bool(\.slabReassign)),
        SettingRow(attribute: KMC_S_SLAB_AUTOMOVE, place: .u32(\.slabAutomove)),
        SettingRow(attribute: KMC_S_SLAB_AUTOMOVE_RATIO, place: .u32(\.slabAutomoveRatio)),
        SettingRow(attribute: KMC_S_SLAB_AUTOMOVE_WINDOW, place: .u32(\.slabAutomoveWindow)),
        SettingRow(attribute: KMC_S_SLAB_AUTOMOVE_FREERATIO, place: .u32(\.slabAutomoveFreeRatio)),
        SettingRow(attribute: KMC_S_SLAB_SIZES, place: .string(\.slabSizes)),
        SettingRow(attribute: KMC_S_TRACK_SIZES, place: .bool(\.trackSizes)),
        SettingRow(attribute: KMC_S_DUMP_ENABLED, place: .bool(\.dumpEnabled)),
        SettingRow(attribute: KMC_S_WATCH_ENABLED, place: .bool(\.watchEnabled)),
        SettingRow(attribute: KMC_S_WATCHER_LOGBUF_SIZE, place: .u32(\.watcherLogBufferSize)),
        SettingRow(attribute: KMC_S_WORKER_LOGBUF_SIZE, place: .u32(\.workerLogBufferSize)),
        SettingRow(attribute: KMC_S_READ_BUF_MEM_LIMIT, place: .u32(\.readBufferLimit)),
        SettingRow(attribute: KMC_S_INITIAL_MALLOC, place: .u64(\.initialMalloc)),
        SettingRow(attribute: KMC_S_AUTH, place: .authentication(\.authentication)),
        SettingRow(attribute: KMC_S_AUTH_FILE, place: .string(\.authFile)),
    ]
}
