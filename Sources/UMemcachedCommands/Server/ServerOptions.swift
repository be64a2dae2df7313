// SPDX-License-Identifier: MIT

import KMCControl

/// What the command line of a server asks for.
public struct ServerOptions: Equatable, Sendable {
    /// What goes to the module as it is.
    public var settings = InstanceSettings()
    /// TCP port; -1: any free one, 0: none. `nil`: 11211.
    public var port: Int32?
    /// 0: none, the only one offered.
    public var udpPort: Int32?
    /// Serve this path instead of TCP.
    public var unixPath: String?
    /// What `-l` said, split at commas.
    public var listen: [String] = []
    /// Whom the unix socket shall belong to.
    public var user: String?
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
    private static let slabPage: UInt32 = 1 << 20

    /// Sees to what must fit together (memcached 1.6.45 checks the same after reading its options).
    func check() throws(Failure) {
        let memory = settings.memoryLimit ?? Self.defaultMemoryLimit
        let item = settings.itemSizeMax ?? Self.defaultItemSizeMax
        let chunk = settings.slabChunkMax ?? Self.defaultSlabChunkMax
        let complaint: String? =
            if udpPort ?? 0 != 0 {
                "UDP is not offered yet: leave -U out, or give 0"
            } else if UInt64(item) > memory / 2 {
                "an item may take at most half of the memory: raise -m or lower -I"
            } else if chunk > item {
                "slab_chunk_max (\(chunk >> 10) KiB) must not be larger than the largest item: "
                    + "raise -I or give -o slab_chunk_max=N with fewer KiB"
            } else if item % chunk != 0 {
                "-I must be a multiple of slab_chunk_max (\(chunk >> 10) KiB)"
            } else if Self.slabPage % chunk != 0 {
                "slab_chunk_max must divide a slab page of 1024 KiB evenly: give a power of two"
            } else if let name, !InstanceName.isAllowed(name) {
                "--name takes 1 to 31 letters, digits and . _ : - which are not all digits, not \"\(name)\""
            } else if unixPath == nil && port == 0 {
                "there is nothing to listen on: give a port with -p or a path with -s"
            } else {
                nil
            }
        if let complaint { throw Failure(complaint, status: ExitStatus.usage) }
    }
}
