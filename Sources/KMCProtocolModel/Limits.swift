// SPDX-License-Identifier: MIT

/// The sizes that memcached's text protocol draws its lines at.
public enum Limits {
    /// The longest key, in bytes (memcached.h, KEY_MAX_LENGTH).
    public static let keyLength = 250
    /// More bytes than this without a line end close the connection, unless they begin a `get` or `gets`.
    public static let unfinishedLine = 2048
    /// memcached's read buffer: a longer line that isn't a `get` or `gets` can't be held in one piece.
    public static let readBuffer = 16384
    /// As many spaces may stand before a long `get`.
    public static let leadingSpaces = 100
    /// Words of a line beyond this one aren't looked at, but for the keys of a retrieval command.
    static let words = 23
    /// The longest opaque token of a meta command, its letter included (proto_parser.h, MFLAG_MAX_OPAQUE_LENGTH).
    public static let opaque = 32
    /// The longest body of a binary request (1.6.45, ITEM_SIZE_MAX_UPPER_LIMIT).
    static let binaryBody = 1 << 30
    /// An expiry above 30 days, in seconds, is a Unix time.
    public static let longestRelativeExpiry: Int32 = 60 * 60 * 24 * 30
    /// The largest length that a storage command may announce.
    static let announcedLength = Int32.max - 2
}
