// SPDX-License-Identifier: MIT

/// Keys of meta commands in base64 (RFC 4648, section 4), read as generously as memcached does.
public enum Base64 {
    private static let digits = Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    private static let pad = UInt8(ascii: "=")

    public static func encode(_ bytes: Bytes) -> Bytes {
        var text: Bytes = []
        for begin in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[begin..<min(begin + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? digits[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : pad)
            }
        }
        return text
    }

    /// The bytes that `text` stands for; nil if it stands for none.
    ///
    /// Bytes without a meaning are skipped, and what follows a padded group isn't looked at; but there must be whole
    /// groups of four in all.
    public static func decode(_ text: Bytes) -> Bytes? {
        let known = text.filter { $0 == pad || digits.contains($0) }
        guard !known.isEmpty, known.count % 4 == 0 else { return nil }
        var bytes: Bytes = []
        for begin in stride(from: 0, to: known.count, by: 4) {
            let group = known[begin..<begin + 4]
            let bits = group.reduce(UInt32(0)) { $0 << 6 | UInt32(digits.firstIndex(of: $1) ?? 0) }
            let pads = group.count { $0 == pad }
            guard pads <= 2 else { return nil }
            bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
                .dropLast(pads)
            if pads > 0 { break }
        }
        return bytes
    }
}
