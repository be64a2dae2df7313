// SPDX-License-Identifier: MIT

import Glibc

/// What the keys are called and which values they have: both follow from the key's number. A plain value; the plan owns
/// the pool that values are cut from.
struct Corpus: BitwiseCopyable {
    private let keySizes: UnsafePointer<SizeLaw>
    private let valueSizes: UnsafePointer<SizeLaw>
    private let pool: UnsafeMutableRawPointer

    init(_ workload: Workload) {
        keySizes = Self.keep(workload.keySize)
        valueSizes = Self.keep(workload.valueSize)
        pool = Pool.allocate(valueSize: workload.valueSize.longestValue)
    }

    func deallocate() {
        keySizes.deallocate()
        valueSizes.deallocate()
        pool.deallocate()
    }

    func keySize(_ number: UInt32) -> Int { keySizes.pointee.keySize(number) }
    func valueSize(_ number: UInt32) -> Int { valueSizes.pointee.valueSize(number) }

    /// Appends the key with this number: as many `k` as its size asks for, and its digits.
    func appendKey(_ number: UInt32, to sheet: inout Sheet) {
        let size = keySize(number)
        let place = sheet.extend(size)
        memset(place, 0x6B, size - KeyName.size)
        KeyName(number).write(at: place + (size - KeyName.size))
    }

    /// Appends its value: the digits, then a run of the pool; of a short value, the last digits, which differ most.
    func appendValue(_ number: UInt32, to sheet: inout Sheet) {
        let size = valueSize(number)
        let key = KeyName(number)
        let place = sheet.extend(size)
        if size < KeyName.size {
            withUnsafeBytes(of: key.digits) { _ = memcpy(place, $0.baseAddress! + (KeyName.size - size), size) }
        } else {
            key.write(at: place)
            memcpy(place + KeyName.size, pool + key.poolOffset, size - KeyName.size)
        }
    }

    private static func keep(_ law: SizeLaw) -> UnsafePointer<SizeLaw> {
        let place = UnsafeMutablePointer<SizeLaw>.allocate(capacity: 1)
        place.initialize(to: law)
        return UnsafePointer(place)
    }
}
