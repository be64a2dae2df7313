// SPDX-License-Identifier: MIT

/// A version of memcached's text protocol, down to the words of its errors.
///
/// The model speaks 1.6.45. Debian 12 ships 1.6.18, which is what every claim about memcached can be checked
/// against; where the two differ, a trait says so, and ``Difference/all`` says since when.
public struct Dialect: Equatable, Sendable {
    public let name: String
    /// A line with the wrong number of words gets `ERROR` instead of `CLIENT_ERROR bad command line format`,
    /// and more words than the command knows count as wrong.
    let countsWords: Bool
    /// Numbers are read by C's strtol family: leading white space, a plus sign, trailing white space, and cut to 32 bits.
    let readsNumbersLikeC: Bool
    /// Once a storage line's length is known, its data is thrown away if the line is refused for another reason.
    let swallowsRefusedData: Bool
    /// Spaces before the command word are skipped.
    let skipsLeadingSpaces: Bool
    /// A zero byte ends the line.
    let endsLineAtZero: Bool
    /// An unknown command that ends in `noreply` is not answered.
    let quietsUnknown: Bool
    /// A bad key in `get` is refused with a line and an empty line.
    let doublesKeyRefusal: Bool
    /// A line of which 2048 bytes have no end closes the connection, however it arrives; that of a retrieval is taken key
    /// by key instead. In a shorter line all keys are looked at before the first is looked up.
    public let streamsLongLines: Bool
    /// A line of one word that begins with `HTTP/` closes the connection, too.
    let closesOnLoneHTTP: Bool
    /// `bget` is `get`.
    let knowsBget: Bool
    /// A subcommand of `stats` may be abbreviated.
    let abbreviatesStats: Bool
    /// What `delete` makes of words after the key.
    let deleteArguments: DeleteArguments
    let shutdownRefusal: Failure
    /// Whether `incr` and `decr` can be relied on for numbers from 2^63: 1.6.18 looks for a minus beyond the value, too.
    public let readsHugeNumbers: Bool
    /// A number that shrinks loses its trailing spaces when anything holds its item at that moment: a reply that waits,
    /// or the queue of items to be moved in the LRU. Which of both a client sees is chance, and protocol.txt says so.
    public let mayTrimNumbers: Bool
    /// An item that was given its key in base64 remembers that, whatever makes a new one of it. 1.6.45 forgets it when N makes
    /// the item, after x, append and prepend, and when a number gets longer.
    let keepsBinaryKeys: Bool
    /// `ma` sets T and E also where the number gets longer.
    let changesGrownNumbers: Bool
    /// A refused meta command has done nothing; memcached finds an opaque token that is too long when it writes the reply.
    let refusesBeforeDoing: Bool
    /// `me KEY b` heeds its b only with a further word behind it.
    let debugNeedsMoreWords: Bool
    /// `l` and `la` count from the last access; memcached's from the last that moved the item in its LRU.
    public let knowsLastAccess: Bool
    /// A binary request is refused as soon as its header shows why, its body is thrown away once, and a value where none
    /// belongs is refused. memcached waits for extras and key, counts them twice, and reads the value as a request.
    public let refusesByHeader: Bool
    /// A refusal is sent before the data that it throws away has come. memcached keeps it until then.
    public let refusesAtOnce: Bool
    /// A quiet binary request that says nothing is answered over UDP by an empty message of no datagrams.
    public let answersSilence: Bool
    /// A datagram whose sequence or reserved field isn't zero is dropped.
    public let dropsForgedFrames: Bool
    /// When a CAS unique is taken from the counter.
    public let uniqueRule: UniqueRule
    /// The unique of the first value that a fresh server stores.
    public let firstUnique: UInt64

    enum DeleteArguments: Sendable {
        /// Nothing but a zero and `noreply` may stand there.
        case checked
        /// Two words, whatever they are; more are refused.
        case atMostTwo
        case ignored
    }

    /// When a CAS unique is taken from the counter; clients can only see that it differs, tests of a server see the number.
    public enum UniqueRule: Sendable {
        /// One for each value that is linked, which includes what `incr`, `decr`, `append` and `prepend` make.
        case perLink
        /// Also one for each storage command whose data arrived whole but was not stored (since 1.6.27).
        case perAttempt
    }

    /// Debian 12's memcached.
    public static let v1_6_18 = Dialect(
        name: "1.6.18", countsWords: true, readsNumbersLikeC: true, swallowsRefusedData: false,
        skipsLeadingSpaces: true, endsLineAtZero: true, quietsUnknown: false, doublesKeyRefusal: false,
        streamsLongLines: false, closesOnLoneHTTP: true, knowsBget: true, abbreviatesStats: false,
        deleteArguments: .checked, shutdownRefusal: .shutdownNotEnabledBefore, readsHugeNumbers: false,
        mayTrimNumbers: true, keepsBinaryKeys: false, changesGrownNumbers: false, refusesBeforeDoing: false,
        debugNeedsMoreWords: false, knowsLastAccess: false, refusesByHeader: false, refusesAtOnce: false, answersSilence: true, dropsForgedFrames: false, uniqueRule: .perLink, firstUnique: 1)

    /// memcached 1.6.45 itself.
    public static let v1_6_45 = Dialect(
        name: "1.6.45", countsWords: false, readsNumbersLikeC: false, swallowsRefusedData: true,
        skipsLeadingSpaces: false, endsLineAtZero: false, quietsUnknown: true, doublesKeyRefusal: true,
        streamsLongLines: false, closesOnLoneHTTP: false, knowsBget: false, abbreviatesStats: true,
        deleteArguments: .ignored, shutdownRefusal: .shutdownNotEnabled, readsHugeNumbers: true, mayTrimNumbers: true,
        keepsBinaryKeys: false, changesGrownNumbers: false, refusesBeforeDoing: false, debugNeedsMoreWords: true,
        knowsLastAccess: false, refusesByHeader: false, refusesAtOnce: false, answersSilence: true, dropsForgedFrames: false, uniqueRule: .perAttempt, firstUnique: 2)

    /// 1.6.45 as kmemcache speaks it. It deviates in four things. A line is long from 2048 bytes on, however it arrives,
    /// and the keys of a long retrieval, which may also be a `gat`, are answered as they come, so that what was found
    /// before a bad key has been sent; in a shorter line a bad key is found before anything is looked up or touched. The
    /// refusal is one line, since the empty line that 1.6.45 sends after it puts every later reply of a pipeline one line
    /// out of step. A number always keeps its length. And a `delete` with more than two words after its key is refused, as
    /// 1.6.18 did, since libmemcached's memcapable asks for it.
    public static let kmemcache = Dialect(
        name: "1.6.45-kmemcache", countsWords: false, readsNumbersLikeC: false, swallowsRefusedData: true,
        skipsLeadingSpaces: false, endsLineAtZero: false, quietsUnknown: true, doublesKeyRefusal: false,
        streamsLongLines: true, closesOnLoneHTTP: false, knowsBget: false, abbreviatesStats: true,
        deleteArguments: .atMostTwo, shutdownRefusal: .shutdownNotEnabled, readsHugeNumbers: true, mayTrimNumbers: false,
        keepsBinaryKeys: true, changesGrownNumbers: true, refusesBeforeDoing: true, debugNeedsMoreWords: false,
        knowsLastAccess: true, refusesByHeader: true, refusesAtOnce: true, answersSilence: false, dropsForgedFrames: true, uniqueRule: .perLink, firstUnique: 2)

    /// The dialect of a server that answers `version` with `version`; nil for one that the model doesn't know.
    public static func speaking(_ version: String) -> Dialect? {
        if version.hasPrefix("1.6.45-kmemcache") { return .kmemcache }
        let numbers = version.split(separator: ".", maxSplits: 2).map { $0.prefix { $0.isNumber } }
        guard numbers.count == 3, numbers[0] == "1", numbers[1] == "6", let patch = Int(numbers[2]) else { return nil }
        switch patch {
        case 18: return .v1_6_18
        case 45...: return .v1_6_45
        default: return nil
        }
    }
}

/// One thing that 1.6.45 answers differently from 1.6.18.
public struct Difference: Sendable {
    public let subject: String
    public let before: String
    public let after: String
    /// The first release with the new answer, and memcached's commit.
    public let release: String
    public let commit: String

    /// What the traits of ``Dialect`` stand for, as memcached's history has it.
    public static let all: [Difference] = [
        .parser("wrong number of words", "ERROR", "CLIENT_ERROR bad command line format for too few"),
        .parser("words beyond the last argument", "ERROR", "ignored, but for noreply in the last place"),
        .parser("a line of fewer than two bytes", "ERROR", "CLIENT_ERROR bad command line format"),
        .parser("spaces before the command", "skipped", "ERROR"),
        .parser("a zero byte in a line", "ends the line", "is a byte of its word"),
        .parser("unknown command with noreply", "ERROR", "silence"),
        .parser("refused storage line (key, flags, expiry, unique)", "its data is read as commands", "its data is thrown away"),
        .parser("a key over 250 bytes in get", "one line", "the line and an empty line"),
        .parser("delete with further arguments", "usage error, but for 0 and noreply", "ignored"),
        .parser("gat without a key", "END", "CLIENT_ERROR bad command line format"),
        .parser("HTTP/ as the only word", "close", "ERROR"),
        .parser("bget", "a synonym of get", "ERROR"),
        .parser("subcommands of stats", "in full", "may be abbreviated"),
        .parser("shutdown without -A", "ERROR: shutdown not enabled", "SERVER_ERROR: shutdown not enabled"),
        .parser("delta, length, unique of a command", "read by strtoull and friends", "digits only, at most 22"),
        Difference(
            subject: "expiry of touch and gat, level of verbosity", before: "read by strtol", after: "digits and a minus only",
            release: "1.6.45", commit: "7d8ef8fcd"),
        Difference(
            subject: "a CAS unique for a store that fails", before: "none is taken", after: "one is taken",
            release: "1.6.27", commit: "22480de78"),
        Difference(
            subject: "incr and decr of 2^63 and more", before: "refused where a minus stands behind the value in memory",
            after: "counted", release: "1.6.22", commit: "ea92c6c01"),
        Difference(
            subject: "flush_all", before: "by CAS unique and time", after: "by time, and a walk over the newest items",
            release: "1.6.25", commit: "8aad5ae07"),
        Difference(
            subject: "a number that shrinks after a get in the same pipeline", before: "keeps its length (get is sent at once)",
            after: "loses the trailing spaces (get is batched, and its reply holds the item)", release: "1.6.35", commit: "c0f01efa3"),
    ] + meta

    private static let meta: [Difference] = [
        .parser("bad flags of md", "CLIENT_ERROR invalid or duplicate flag", "told apart"),
        .parser("a flag that begins with neither letter nor digit", "an unknown flag", "the line is malformed"),
        .parser("too many flags of ms, md, ma", "CLIENT_ERROR options flags too long", "are too long, as mg; ma says invalid or duplicate flag"),
        .parser("M with more or less than one letter behind it", "CLIENT_ERROR incorrect length for M token", "the first byte counts"),
        .parser("me KEY b", "b is heeded", "only with a further word behind it"),
        .parser("ma with N and q that begins a number", "answered", "silence"),
        Difference(
            subject: "E of mg, ms, md, ma", before: "unknown", after: "the new CAS unique", release: "1.6.27", commit: "22480de78"),
        Difference(subject: "x of md", before: "unknown", after: "leaves an empty item", release: "1.6.27", commit: "563d05a82"),
        Difference(
            subject: "N of an append or prepend, s of ms", before: "ignored", after: "begins the item; its length", release: "1.6.20",
            commit: "c04701654"),
        Difference(
            subject: "C of mg", before: "ignored", after: "leaves out a value that is known", release: "1.6.40", commit: "836d736db"),
        Difference(
            subject: "exp of me", before: "with the sign turned", after: "seconds that are left", release: "1.6.24", commit: "1776b021e"),
    ]

    private static func parser(_ subject: String, _ before: String, _ after: String) -> Difference {
        Difference(subject: subject, before: before, after: after, release: "1.6.40", commit: "778cfd6e5")
    }
}
