// SPDX-License-Identifier: MIT

import Glibc

/// What a reply looks like.
enum ReplyForm: UInt8, BitwiseCopyable {
    /// `VALUE` items, then `END`.
    case items
    /// `VA` with a value, or `EN`.
    case meta
    /// `STORED`.
    case stored
}

/// The bytes of one request, with the places that depend on its keys.
struct RequestForm: BitwiseCopyable {
    let bytes: UnsafeRawPointer
    let length: Int
    /// Offset of the first key's digits; the next key's are `keyStride` further.
    let digits: Int
    let keyStride: Int
    let keys: Int
    /// Offset of the value, or -1.
    let value: Int
    let reply: ReplyForm
}

/// A workload's bytes, encoded once. A plain value: reading it moves no reference count.
struct Templates: BitwiseCopyable {
    /// What most requests are, and, at place 1, what each `everyOther`th is (0: none).
    private let forms: UnsafeMutablePointer<RequestForm>
    let everyOther: Int

    /// `VALUE <key> 0 <size> CR LF`, with the offset of the key and of its digits.
    let header: UnsafeRawPointer
    let headerLength: Int
    let headerKey = 6
    let headerDigits: Int
    let keySize: Int
    /// `VA <size> CR LF`.
    let metaHeader: UnsafeRawPointer
    let metaHeaderLength: Int

    let valueSize: Int
    let verify: Bool
    let depth: Int
    private let pool: UnsafeMutableRawPointer
    private let schedule: UnsafeMutablePointer<KeyName>
    private let scheduleMask: Int
    let keysPerRequest: Int

    /// Takes ownership of `schedule`, whose length is a power of two.
    init(_ workload: Workload, schedule keys: UnsafeMutableBufferPointer<KeyName>) {
        let key = String(repeating: "k", count: workload.keySize - KeyName.size) + "00000000"
        let size = workload.valueSize
        let setLine = "set " + key + " 0 0 \(size)\r\n"
        forms = .allocate(capacity: 2)
        let main: RequestForm
        switch workload.mix {
        case .get, .mixed: main = Self.request("get " + key + "\r\n", workload, reply: .items)
        case .set: main = Self.request(setLine, workload, reply: .stored)
        case .mg: main = Self.request("mg " + key + " v\r\n", workload, reply: .meta)
        case .mget:
            let names = String(repeating: " " + key, count: workload.keysPerGet)
            main = Self.request("get" + names + "\r\n", workload, keys: workload.keysPerGet, reply: .items)
        }
        if case .mixed(let gets) = workload.mix {
            forms.initialize(to: main)
            (forms + 1).initialize(to: Self.request(setLine, workload, reply: .stored))
            everyOther = gets + 1
        } else {
            forms.initialize(repeating: main, count: 2)
            everyOther = 0
        }
        (header, headerLength) = Self.copy("VALUE " + key + " 0 \(size)\r\n")
        headerDigits = headerKey + workload.keySize - KeyName.size
        keySize = workload.keySize
        (metaHeader, metaHeaderLength) = Self.copy("VA \(size)\r\n")
        valueSize = size
        verify = workload.verify
        depth = workload.depth
        pool = Pool.allocate(valueSize: size)
        schedule = keys.baseAddress!
        scheduleMask = keys.count - 1
        keysPerRequest = workload.keysPerRequest
    }

    /// Frees what init allocated; nobody may use the templates afterwards.
    func deallocate() {
        forms[0].bytes.deallocate()
        if everyOther != 0 { forms[1].bytes.deallocate() }
        forms.deallocate()
        header.deallocate()
        metaHeader.deallocate()
        pool.deallocate()
        schedule.deallocate()
    }

    /// The form of the request with this number on its connection.
    func form(of sequence: Int) -> UnsafePointer<RequestForm> {
        UnsafePointer(everyOther != 0 && sequence % everyOther == 0 ? forms + 1 : forms)
    }

    /// The key at `place` of the request with this number.
    func key(_ sequence: Int, _ place: Int = 0) -> KeyName {
        schedule[(sequence &* keysPerRequest &+ place) & scheduleMask]
    }

    /// The longest batch in bytes.
    var longestBatch: Int { max(forms[0].length, forms[1].length) * depth }

    /// An item of a reply to `get`, with the line end behind its value.
    var itemLength: Int { headerLength &+ valueSize &+ 2 }

    /// Writes the value of `key` at `place`.
    func writeValue(of key: KeyName, at place: UnsafeMutableRawPointer) {
        guard valueSize >= KeyName.size else { return writeShortValue(of: key, at: place) }
        key.write(at: place)
        memcpy(place + KeyName.size, pool + key.poolOffset, valueSize &- KeyName.size)
    }

    /// Whether the `valueSize` bytes at `place` are the value of `key`.
    func isValue(of key: KeyName, at place: UnsafeRawPointer) -> Bool {
        guard valueSize >= KeyName.size else { return isShortValue(of: key, at: place) }
        return place.loadUnaligned(as: UInt64.self) == key.digits
            && memcmp(place + KeyName.size, pool + key.poolOffset, valueSize &- KeyName.size) == 0
    }

    // Too short for all digits: the last ones, which differ most.
    private func writeShortValue(of key: KeyName, at place: UnsafeMutableRawPointer) {
        withUnsafeBytes(of: key.digits) { digits in
            place.copyMemory(from: digits.baseAddress! + (KeyName.size - valueSize), byteCount: valueSize)
        }
    }

    private func isShortValue(of key: KeyName, at place: UnsafeRawPointer) -> Bool {
        withUnsafeBytes(of: key.digits) { digits in
            memcmp(place, digits.baseAddress! + (KeyName.size - valueSize), valueSize) == 0
        }
    }

    /// A request that starts with `text`; one that is answered `STORED` carries a value and a line end behind it.
    private static func request(_ text: String, _ workload: Workload, keys: Int = 1, reply: ReplyForm) -> RequestForm {
        let value = reply == .stored ? text.utf8.count : -1
        let (bytes, length) = copy(text, room: value < 0 ? 0 : workload.valueSize + 2)
        if value >= 0 {
            UnsafeMutableRawPointer(mutating: bytes).storeBytes(of: 0x0D, toByteOffset: length - 2, as: UInt8.self)
            UnsafeMutableRawPointer(mutating: bytes).storeBytes(of: 0x0A, toByteOffset: length - 1, as: UInt8.self)
        }
        let command = text.utf8.firstIndex(of: 0x20)!
        let keyStart = text.utf8.distance(from: text.startIndex, to: command) + 1
        return RequestForm(
            bytes: bytes, length: length, digits: keyStart + workload.keySize - KeyName.size,
            keyStride: workload.keySize + 1, keys: keys, value: value, reply: reply)
    }

    private static func copy(_ text: String, room: Int = 0) -> (UnsafeRawPointer, Int) {
        let length = text.utf8.count + room
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: length)
        var text = text
        text.withUTF8 { bytes.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return (UnsafeRawPointer(bytes), length)
    }
}
