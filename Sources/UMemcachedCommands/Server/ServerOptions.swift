// SPDX-License-Identifier: MIT

import KMCControl

/// What the command line of a server asks for.
public struct ServerOptions: Equatable, Sendable {
    /// What goes to the module as it is.
    public var settings = InstanceSettings()
    /// TCP port; -1: any free one, 0: none. `nil`: 11211.
    public var port: Int32?
    /// UDP port; -1: any free one, 0 or `nil`: none.
    public var udpPort: Int32?
    /// Serve this path instead of TCP.
    public var unixPath: String?
    /// What `-l` said, split at commas.
    public var listen: [String] = []
    /// Whom the unix socket shall belong to, and as whom the process that stays runs on.
    public var user: String?
    /// Stay in the background, and end the server with that process.
    public var daemon = false
    /// Where the number of the process that stays is written.
    public var pidFile: String?
    /// Users who may come in by the text protocol, and nobody else.
    public var authFile: String?
    /// Only who says by SASL who it is may come in.
    public var sasl = false
    /// Of TCP and UDP sockets, for firewalls and routing; 0 or `nil`: none.
    public var socketMark: UInt32?
    /// Checked only.
    public var napiIDs: Int32?
    /// Keep no item in chunks, unless slab_chunk_max is given or an item may be larger than a slab page.
    var unchunked = false
    /// Of the instance; `nil`: from the port or path.
    public var name: String?
    /// Stay, and end the server with this process.
    public var foreground = false

    public init() {}

    static let defaultPort: Int32 = 11211
    static let defaultUnixMask: UInt32 = 0o700
    static let defaultBacklog: UInt32 = 1024
    private static let defaultMemoryLimit: UInt64 = 64 << 20
    private static let defaultItemSizeMax: UInt32 = 1 << 20
    private static let defaultSlabChunkMax: UInt32 = 512 << 10
    private static let defaultThreads: UInt32 = 4
    private static let slabPage: UInt32 = 1 << 20
    private static let defaultHotPercent: UInt32 = 20
    private static let defaultWarmPercent: UInt32 = 40

    /// As memcached: a UDP port alone is the TCP port, too.
    var tcpPort: Int32 {
        if let port { return port }
        return udpPort ?? 0 == 0 ? Self.defaultPort : udpPort!
    }

    /// memcached 1.4's defaults (`-o no_modern`).
    mutating func takeOldDefaults() {
        unchunked = true
        settings.maxconnsFast = false
        settings.lruCrawler = false
        settings.hashAlgorithm = .jenkins
        maintainLRU(false)
        settings.slabReassign = false
        settings.slabAutomove = 0
    }

    /// `-o lru_maintainer`, `no_lru_maintainer`: without it there are no segments.
    mutating func maintainLRU(_ maintained: Bool) {
        settings.lruMaintainer = maintained
        settings.lruSegmented = maintained
    }

    /// `-o no_chunked_items`
    mutating func keepNoChunks() {
        unchunked = true
        if settings.slabChunkMax != nil { settings.slabChunkMax = Self.slabPage }
    }

    /// The settings to be sent, once the whole command line is known.
    var settled: InstanceSettings {
        var settled = settings
        let isLarge = settings.itemSizeMax ?? Self.defaultItemSizeMax > Self.slabPage
        if unchunked && !isLarge && settings.slabChunkMax == nil { settled.slabChunkMax = Self.slabPage }
        if settings.temporaryTTL != nil { settled.temporaryLRU = true }
        return settled
    }

    /// Who must say who it is does so in one protocol only, and not by UDP.
    private var authenticationComplaint: String? {
        let wanted: WireProtocol = sasl ? .binary : .text
        let option = sasl ? "-S" : "-Y"
        if !sasl && authFile == nil { return nil }
        if sasl && authFile != nil { return "-S and -Y exclude each other: give one of them" }
        if settings.wireProtocol ?? wanted != wanted {
            return "\(option) leaves only the \(sasl ? "binary" : "text") protocol: leave -B out"
        }
        if udpPort ?? 0 != 0 { return "UDP cannot be served with \(option): leave -U out, or give 0" }
        return nil
    }

    /// Sees to what must fit together (memcached 1.6.45 checks the same after reading its options).
    ///
    /// - Parameter attached: whether a process stays with the server
    func check(attached: Bool) throws(Failure) {
        let memory = settings.memoryLimit ?? Self.defaultMemoryLimit
        let item = settings.itemSizeMax ?? Self.defaultItemSizeMax
        let chunk = settled.slabChunkMax ?? Self.defaultSlabChunkMax
        let complaint: String? =
            if let complaint = authenticationComplaint {
                complaint
            } else if napiIDs ?? 0 > settings.threads ?? Self.defaultThreads {
                "-N must not be more than the threads of -t"
            } else if UInt64(item) > memory / 2 {
                "an item may take at most half of the memory: raise -m or lower -I"
            } else if chunk > item {
                "slab_chunk_max (\(chunk >> 10) KiB) must not be larger than the largest item: "
                    + "raise -I or give -o slab_chunk_max=N with fewer KiB"
            } else if item % chunk != 0 {
                "-I must be a multiple of slab_chunk_max (\(chunk >> 10) KiB)"
            } else if (settings.hotPercent ?? Self.defaultHotPercent)
                + (settings.warmPercent ?? Self.defaultWarmPercent) > 80
            {
                "hot_lru_pct and warm_lru_pct together cannot be more than 80"
            } else if settings.temporaryTTL != nil && settings.lruMaintainer == false {
                "temporary_ttl needs the lru_maintainer"
            } else if Self.slabPage % chunk != 0 {
                "slab_chunk_max must divide a slab page of 1024 KiB evenly: give a power of two"
            } else if let name, !InstanceName.isAllowed(name) {
                "--name takes 1 to 31 letters, digits and . _ : - which are not all digits, not \"\(name)\""
            } else if !attached && unixPath == nil && tcpPort == 0 && udpPort ?? 0 == 0 {
                "there is nothing to listen on: give a port with -p or -U, or a path with -s"
            } else if !attached && pidFile != nil {
                "-P needs a process that stays: give -d or --foreground, too"
            } else {
                nil
            }
        if let complaint { throw Failure(complaint, status: ExitStatus.usage) }
    }
}
