// SPDX-License-Identifier: MIT

/// The two ways in which memcached reads numbers.
enum Numbers {
    /// Digits only, at most `limit` of them, as the command parser reads since 1.6.40.
    static func unsigned(_ word: some Collection<UInt8>, limit: Int = 22) -> UInt64? {
        guard word.count <= limit else { return nil }
        return magnitude(of: word)
    }

    /// 32 bits without a sign, at most 11 digits.
    static func unsigned32(_ word: some Collection<UInt8>) -> UInt32? {
        unsigned(word, limit: 11).flatMap { UInt32(exactly: $0) }
    }

    /// 32 bits with an optional minus, at most 11 bytes; a lone minus is zero.
    static func signed32(_ word: some Collection<UInt8>) -> Int32? {
        guard word.count <= 11 else { return nil }
        guard word.first == ASCII.minus else { return magnitude(of: word).flatMap { Int32(exactly: $0) } }
        return magnitude(of: word.dropFirst()).flatMap { Int32(exactly: -Int64($0)) }
    }

    /// The value of decimal digits; zero for none, nil for anything else or more than 64 bits.
    private static func magnitude(of digits: some Collection<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            guard ASCII.isDigit(digit) else { return nil }
            let (shifted, tooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = shifted.addingReportingOverflow(UInt64(digit - ASCII.zero))
            guard !tooLong, !tooLarge else { return nil }
            value = sum
        }
        return value
    }
}

extension Numbers {
    /// An unsigned 64-bit number at the beginning of `text`, as C's `strtoull` finds it and memcached's check lets pass:
    /// white space, a sign, digits, then white space, a zero byte or the end. A number whose top bit is set must not
    /// have been written with a minus.
    static func c64(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard let scan = Scan(text), scan.isDelimited else { return nil }
        let value = scan.isNegative ? 0 &- scan.magnitude : scan.magnitude
        if scan.isNegative, value >> 63 != 0 { return nil }
        return value
    }

    /// As ``c64(_:)``, then cut to 32 bits: 4294967297 reads as 1.
    static func c32(_ text: ArraySlice<UInt8>) -> UInt32? {
        c64(text).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// A signed 64-bit number as `strtol` finds it, cut to 32 bits.
    static func cSigned32(_ text: ArraySlice<UInt8>) -> Int32? {
        guard let scan = Scan(text), scan.isDelimited else { return nil }
        if scan.isNegative {
            guard scan.magnitude <= UInt64(1) << 63 else { return nil }
            return Int32(truncatingIfNeeded: 0 &- scan.magnitude)
        }
        guard scan.magnitude <= UInt64(Int64.max) else { return nil }
        return Int32(truncatingIfNeeded: scan.magnitude)
    }

    /// What strtol and strtoull have in common; nil without digits or above 64 bits.
    private struct Scan {
        let isNegative: Bool
        let magnitude: UInt64
        let isDelimited: Bool

        init?(_ text: ArraySlice<UInt8>) {
            var rest = text.drop(while: ASCII.isSpace)
            isNegative = rest.first == ASCII.minus
            if isNegative || rest.first == ASCII.plus { rest = rest.dropFirst() }
            let digits = rest.prefix(while: ASCII.isDigit)
            guard !digits.isEmpty, let value = Numbers.magnitude(of: digits) else { return nil }
            magnitude = value
            let next = rest.dropFirst(digits.count).first
            isDelimited = next.map { ASCII.isSpace($0) || $0 == ASCII.nul } ?? true
        }
    }
}
