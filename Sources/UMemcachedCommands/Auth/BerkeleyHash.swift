// SPDX-License-Identifier: MIT

/// A file of Berkeley DB's hash method, read to its end (libdb 4 and 5, dbinc/db_page.h).
///
/// Pages of one size. The first says so; on each page of data, offsets from its beginning grow upwards behind a header
/// of 26 bytes and the items downwards from its end: a key, its data, a key, ... Every number is checked before it is followed.
struct BerkeleyHash {
    struct Entry: Equatable {
        let key: [UInt8]
        let data: [UInt8]
    }

    private enum Layout {
        static let magic = (offset: 12, value: UInt32(0x061561))
        static let pageSize = (offset: 20, range: 512...65_536)
        static let encryption = 24
        static let metaFlags = (offset: 26, checksums: UInt8(1))
        static let entries = 20
        static let type = (offset: 25, data: [UInt8(2), 13])
        static let items = 26
        static let plain = UInt8(1)
    }

    private let file: [UInt8]
    private let pageSize: Int

    /// - Returns: `nil` for another kind of file, or one with checksums or encryption, which no sasldb has
    init?(_ file: [UInt8]) {
        guard file.count >= Layout.pageSize.range.lowerBound,
            Self.number(file, Layout.magic.offset, 4) == Int(Layout.magic.value), file[Layout.encryption] == 0,
            file[Layout.metaFlags.offset] & Layout.metaFlags.checksums == 0
        else { return nil }
        pageSize = Self.number(file, Layout.pageSize.offset, 4)
        guard Layout.pageSize.range.contains(pageSize), pageSize & (pageSize - 1) == 0 else { return nil }
        self.file = file
    }

    /// - Returns: `nil` where the file contradicts itself, or keeps an item elsewhere because it is too long
    func entries() -> [Entry]? {
        var found: [Entry] = []
        for start in stride(from: pageSize, through: file.count - pageSize, by: pageSize) {
            guard Layout.type.data.contains(file[start + Layout.type.offset]) else { continue }
            guard let items = items(of: start), items.count % 2 == 0 else { return nil }
            for index in stride(from: 0, to: items.count, by: 2) {
                found.append(Entry(key: items[index], data: items[index + 1]))
            }
        }
        return found
    }

    private func items(of start: Int) -> [[UInt8]]? {
        let count = Self.number(file, start + Layout.entries, 2)
        let first = Layout.items + 2 * count
        guard first <= pageSize else { return nil }
        var items: [[UInt8]] = []
        var end = pageSize
        for index in 0..<count {
            let begin = Self.number(file, start + Layout.items + 2 * index, 2)
            guard begin >= first, begin < end, file[start + begin] == Layout.plain else { return nil }
            items.append(Array(file[(start + begin + 1)..<(start + end)]))
            end = begin
        }
        return items
    }

    /// Little endian: the machines that the module is built for.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> Int {
        (0..<length).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
}
