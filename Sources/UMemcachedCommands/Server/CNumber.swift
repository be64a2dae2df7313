// SPDX-License-Identifier: MIT

import Glibc

/// Numbers as C reads them, which is how memcached reads its options: `-m 64MB` is 64, and what begins with no number
/// is 0.
enum CNumber {
    /// `atoi()`, as glibc has it: the low half of a long that stops at its limits.
    static func int(_ text: String) -> Int32 { Int32(truncatingIfNeeded: strtol(text, nil, 10)) }

    /// `strtol(text, NULL, 8)`, kept in an int.
    static func octal(_ text: String) -> Int32 { Int32(truncatingIfNeeded: strtol(text, nil, 8)) }

    /// `atof()`.
    static func double(_ text: String) -> Double { strtod(text, nil) }

    /// The low 32 bits of a `strtoul()` with nothing but white space behind the number, of which none may be negative.
    static func unsigned(_ text: String) -> UInt32? {
        let bytes = Array(text.utf8CString)
        return bytes.withUnsafeBufferPointer { buffer in
            let start = buffer.baseAddress!
            var end: UnsafeMutablePointer<CChar>?
            errno = 0
            let number = strtoul(start, &end, 10)
            guard errno == 0, let end, UnsafePointer(end) != start else { return nil }
            guard end.pointee == 0 || isspace(Int32(end.pointee)) != 0 else { return nil }
            return Int(bitPattern: number) < 0 && buffer[..<(UnsafePointer(end) - start)].contains(CChar(UInt8(ascii: "-")))
                ? nil : UInt32(truncatingIfNeeded: number)
        }
    }

    /// A whole number with nothing but white space behind it: what memcached's newer suboptions ask for.
    static func whole(_ text: String) -> Int64? {
        let bytes = Array(text.utf8CString)
        return bytes.withUnsafeBufferPointer { buffer in
            let start = buffer.baseAddress!
            var end: UnsafeMutablePointer<CChar>?
            errno = 0
            let number = strtol(start, &end, 10)
            guard errno == 0, let end, UnsafePointer(end) != start else { return nil }
            return end.pointee == 0 || isspace(Int32(end.pointee)) != 0 ? Int64(number) : nil
        }
    }
}
