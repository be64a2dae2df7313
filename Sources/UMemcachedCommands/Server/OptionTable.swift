// SPDX-License-Identifier: MIT

import KMCControl

/// The options of a server. Names, ranges and defaults are memcached 1.6.45's; the most of `-m` and `-n` are the
/// module's (KMC_MEMORY_MAX and KMC_PAGE_SIZE of kmod/core/store/store.h).
enum OptionTable {
    private static let many: ClosedRange<Int64> = 1...Int64(Int32.max)

    static let options = offered + notOffered

    private static let offered: [OptionRow] = [
        .value(
            "p", "port", "N", .number(.int32(\.port), Int64(Int32.min)...65_535, .one), preset: "11211",
            "TCP port; 0 for none, -1 for any that is free"),
        .value(
            "U", "udp-port", "N", .number(.int32(\.udpPort), -1...65_535, .one), preset: "0",
            "UDP port; 0 for none, -1 for any that is free"),
        .value("s", "unix-socket", "PATH", .text(\.unixPath), "serve this unix socket, and nothing else"),
        .value(
            "a", "unix-mask", "OCTAL",
            .number(.u32(\.settings.unixMask), Int64(Int32.min)...Int64(Int32.max), .octal),
            preset: "700", "permissions of the unix socket"),
        .flag(
            "A", "enable-shutdown", .set(\.settings.shutdownEnabled, true),
            "let clients end the server with \"shutdown\""),
        .value(
            "l", "listen", "ADDRESS", .list(\.listen),
            "serve these addresses, each with :PORT or without; several with commas or as several -l; "
                + "all when absent; before one may stand proto[NAME]: and tag_NAME_:"),
        .flag("d", "daemon", .setHere(\.daemon), "run in the background, and end the server when that process ends"),
        .value("P", "pidfile", "FILE", .text(\.pidFile), "write the number of the process that stays to this file"),
        .value(
            "u", "user", "NAME", .text(\.user),
            "as root: to whom the unix socket shall belong, and as whom the process that stays shall run"),
        .value(
            "m", "memory-limit", "MIB", .number(.u64(\.settings.memoryLimit), 1...131_072, .mebibytes),
            preset: "64", "memory for items"),
        .flag(
            "M", "disable-evictions", .set(\.settings.evict, false),
            "when memory is full, refuse to store rather than drop old items"),
        .value(
            "c", "conn-limit", "N", .number(.u32(\.settings.connectionLimit), many, .one),
            preset: "1024", "connections at the same time", refusal: ExitStatus.failure),
        .value(
            "t", "threads", "N", .number(.u32(\.settings.threads), many, .one), preset: "4",
            "only shown in statistics: the kernel serves on every CPU", refusal: ExitStatus.failure),
        .value(
            "R", "max-reqs-per-event", "N", .number(.u32(\.settings.requestsPerEvent), many, .one), preset: "20",
            "requests of one connection before others get their turn", refusal: ExitStatus.failure),
        .value(
            "b", "listen-backlog", "N", .number(.u32(\.settings.backlog), 0...Int64(Int32.max), .one),
            preset: "1024", "connections that may wait to be accepted"),
        .value(
            "I", "max-item-size", "SIZE", .number(.u32(\.settings.itemSizeMax), 1024...(1 << 30), .suffixed),
            preset: "1m", "largest item, in bytes or with k or m behind"),
        .value(
            "n", "slab-min-size", "BYTES", .number(.u32(\.settings.sizeMin), 1...(1 << 20), .one),
            preset: "48", "room for key, value and flags in the smallest slab class", refusal: ExitStatus.failure),
        .value(
            "f", "slab-growth-factor", "FACTOR",
            .number(.u32(\.settings.growthFactor), 1_001...1_000_000, .thousandths), preset: "1.25",
            "from one slab class' size to the next", refusal: ExitStatus.failure),
        .flag("k", "lock-memory", .noEffect, "no effect: the kernel's memory is never paged out"),
        .flag("L", "enable-largepages", .noEffect, "no effect: memory comes in slab pages of 1 MiB"),
        .flag("r", "enable-coredumps", .noEffect, "no effect: the server is no process"),
        .value(
            "N", "napi-ids", "N", .number(.int32(\.napiIDs), many, .one),
            "no effect: a connection is served where its packets arrive", refusal: ExitStatus.failure),
        .flag("C", "disable-cas", .set(\.settings.cas, false), "keep no CAS values"),
        .flag(
            "X", "disable-dumping", .set(\.settings.dumpEnabled, false),
            "refuse to list keys and to count by key prefix"),
        .flag("W", "disable-watch", .set(\.settings.watchEnabled, false), "refuse \"watch\""),
        .flag("F", "disable-flush-all", .set(\.settings.flushEnabled, false), "refuse \"flush_all\""),
        .value(
            "D", nil, "CHAR", .prefixDelimiter, preset: ":",
            "count by key prefix, which ends at this character", refusal: ExitStatus.failure),
        .value(
            "B", "protocol", "NAME", .wireProtocol, preset: "auto", "what clients may speak: auto, ascii or binary"),
        .value(
            "Y", "auth-file", "FILE", .text(\.authFile),
            "serve only who says first who it is, in text; NAME:PASSWORD in each line"),
        .flag(
            "S", "enable-sasl", .setHere(\.sasl),
            "serve only who says first who it is, by SASL PLAIN in binary; MEMCACHED_SASL_PWDB names the file, else it is a sasldb"),
        OptionRow(
            short: "v", name: "verbose", argument: .ignored, meaning: .count(\.settings.verbose, upTo: 3),
            preset: nil,
            sentence: "say more; up to three times", refusal: ExitStatus.usage, isOwn: false),
        .value("o", "extended", "LIST", .suboptions, "what is listed below, with commas between"),
        .flag(
            nil, "foreground", .setHere(\.foreground),
            "stay, and end the server when this program ends", own: true),
        .value(
            nil, "name", "NAME", .text(\.name),
            "of the instance; from the port or path when absent", own: true),
        .flag("h", "help", .print(.help), "show this, and nothing else"),
        .flag("V", "version", .print(.version), "show the version"),
        .flag("i", "license", .print(.license), "show the licence"),
    ]

    static let suboptions: [OptionRow] = others + LRUOptions.suboptions

    private static let others: [OptionRow] = [
        .suboption(
            "maxconns_fast", nil, .set(\.settings.maxconnsFast, true),
            "tell a connection above the limit so, and close it (default)"),
        .suboption(
            "no_maxconns_fast", nil, .set(\.settings.maxconnsFast, false),
            "let it wait until another one ends"),
        .suboption(
            "hashpower", "N", .number(.u32(\.settings.hashPower), 12...32, .one), preset: "16",
            "first size of the index, as a power of two"),
        .suboption(
            "slab_chunk_max", "KIB", .number(.u32(\.settings.slabChunkMax), 1...1024, .exactKibibytes),
            preset: "512", "larger items are kept in chunks of this size"),
        .suboption(
            "slab_sizes", "LIST", .text(\.settings.slabSizes),
            "sizes of the slab classes, with dashes between, in place of a factor"),
        .suboption("slab_reassign", nil, .set(\.settings.slabReassign, true), "let slab pages change class (default)"),
        .suboption("no_slab_reassign", nil, .set(\.settings.slabReassign, false), "let them stay"),
        .suboption(
            "slab_automove", "LEVEL", .number(.u32(\.settings.slabAutomove), 0...2, .level), preset: "1",
            "0: pages move by command only; 1: to where they are needed; 2: at each eviction"),
        .suboption("no_slab_automove", nil, .effect { $0.settings.slabAutomove = 0 }, "as slab_automove=0"),
        .suboption(
            "slab_automove_ratio", "SHARE", .number(.u32(\.settings.slabAutomoveRatio), 1...1_000_000, .share),
            preset: "0.8", "how much younger evicted items must be where a page goes to"),
        .suboption(
            "slab_automove_window", "SECONDS", .number(.u32(\.settings.slabAutomoveWindow), 3...1800, .one),
            preset: "10", "time that is looked back upon before a page goes"),
        .suboption("track_sizes", nil, .set(\.settings.trackSizes, true), "count items by size for \"stats sizes\""),
        .suboption("no_chunked_items", nil, .effect { $0.keepNoChunks() }, "keep no item in chunks"),
        .suboption(
            "idle_timeout", "SECONDS", .number(.u32(\.settings.idleTimeout), 0...Int64(Int32.max), .one),
            preset: "0", "close a connection that says nothing for so long; 0 for never"),
        .suboption(
            "read_buf_mem_limit", "MIB", .number(.u32(\.settings.readBufferLimit), 0...4095, .exactMebibytes),
            preset: "0", "most memory for requests and replies under way; 0 for any"),
        .suboption(
            "sock_cookie_id", "N", .number(.u32(\.socketMark), 0...Int64(UInt32.max), .mark),
            "mark of TCP and UDP sockets (SO_MARK), for firewalls and routing"),
        .suboption("no_hashexpand", nil, .set(\.settings.hashExpand, false), "let the index grow only when it is full"),
        .suboption(
            "hash_algorithm", "NAME", .hashAlgorithm, preset: "murmur3",
            "murmur3, jenkins or xxh3: only shown, the index has a keyed hash of its own"),
        .suboption("modern", nil, .noEffect, "what is the default already"),
        .suboption("no_modern", nil, .effect { $0.takeOldDefaults() }, "memcached 1.4's defaults"),
        .suboption("relaxed_privileges", nil, .noEffect),
        .suboption("drop_privileges", nil, .noEffect),
        .suboption("no_drop_privileges", nil, .noEffect),
        .suboption("inline_ascii_resp", nil, .noEffect),
        .suboption("no_inline_ascii_resp", nil, .noEffect),
        .suboption("resp_obj_mem_limit", "MIB", .noEffect),
        .suboption("tail_repair_time", "SECONDS", .number(.u32(\.settings.tailRepairTime), 10...Int64(Int32.max), .one)),
        .suboption(
            "watcher_logbuf_size", "KIB", .number(.u32(\.settings.watcherLogBufferSize), 1...65_536, .exactKibibytes),
            preset: "256", "what may wait for a client that watches"),
        .suboption(
            "worker_logbuf_size", "KIB",
            .number(.u32(\.settings.workerLogBufferSize), 0...4_194_303, .exactKibibytes)),
    ]

    /// memcached's that are refused with a sentence, so that nobody believes in an effect that is not there.
    private static let notOffered: [OptionRow] = [
        .notOffered("Z", "enable-ssl", nil, "a server in the kernel has no TLS"),
        .notOffered(
            "e", "memory-file", "FILE", "items are in the kernel's memory, which no file keeps over a restart"),
    ]

    private static let extstore = "extstore keeps items on disks, which a server in the kernel does not"

    /// Suboptions of memcached's that are refused by how their names begin, and why.
    static let refusedFamilies = [
        ("ext_", extstore),
        ("slab_automove_freeratio", extstore),
        ("proxy_", "memcached's proxy runs Lua, which a server in the kernel does not"),
        ("ssl_", "a server in the kernel has no TLS"),
    ]

    /// What there is under a program's name.
    static func options(own: Bool) -> [OptionRow] {
        own ? options : options.filter { !$0.isOwn }
    }
}
