// SPDX-License-Identifier: MIT

import Glibc

/// Bytes that grow at their end. A plain value: whoever makes it frees it.
struct Sheet: BitwiseCopyable {
    private(set) var bytes: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 4096) {
        self.capacity = capacity
        bytes = malloc(capacity)!
    }

    func deallocate() {
        free(bytes)
    }

    mutating func empty() {
        count = 0
    }

    /// Room for `more` bytes at the end, which count from now on.
    mutating func extend(_ more: Int) -> UnsafeMutableRawPointer {
        if count &+ more > capacity {
            capacity = (count + more) * 2
            bytes = realloc(bytes, capacity)!
        }
        count &+= more
        return bytes + (count &- more)
    }

    mutating func append(_ text: StaticString) {
        memcpy(extend(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func append(_ source: UnsafeRawPointer, _ length: Int) {
        memcpy(extend(length), source, length)
    }

    mutating func append(decimal number: Int) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(big: UInt8(0x30 + number / divisor % 10))
            divisor /= 10
        }
    }

    /// A number in network byte order.
    mutating func append<Number: FixedWidthInteger>(big number: Number) {
        let size = MemoryLayout<Number>.size
        extend(size).storeBytes(of: number.bigEndian, as: Number.self)
    }

    /// Drops `length` bytes at the front.
    mutating func drop(_ length: Int) {
        count &-= length
        memmove(bytes, bytes + length, count)
    }
}
