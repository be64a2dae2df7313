// SPDX-License-Identifier: MIT

import Testing

@testable import UMemcachedCommands

/// A file of Berkeley DB's hash method, as libsasl2 makes it: a page about the file and pages of items.
struct HashFile {
    let pageSize: Int
    var bytes: [UInt8]

    init(pageSize: Int = 512) {
        self.pageSize = pageSize
        bytes = [UInt8](repeating: 0, count: pageSize)
        put(0x061561, at: 12, 4)
        put(pageSize, at: 20, 4)
        bytes[25] = 8
    }

    mutating func put(_ number: Int, at offset: Int, _ length: Int) {
        for index in 0..<length { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }

    /// A page of items, each given by the kind byte and what follows.
    mutating func add(_ items: [[UInt8]], type: UInt8 = 13) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: pageSize)
        bytes[start + 25] = type
        put(items.count, at: start + 20, 2)
        var end = pageSize
        for (index, item) in items.enumerated() {
            end -= item.count
            put(end, at: start + 26 + 2 * index, 2)
            bytes.replaceSubrange((start + end)..<(start + end + item.count), with: item)
        }
    }

    mutating func add(_ pairs: [(String, String)]) {
        add(pairs.flatMap { [[1] + Array($0.utf8), [1] + Array($1.utf8)] })
    }

    var entries: [String]? {
        BerkeleyHash(bytes)?.entries()?.map {
            String(decoding: $0.key, as: UTF8.self) + "=" + String(decoding: $0.data, as: UTF8.self)
        }
    }
}

struct BerkeleyHashTests {
    private static func file() -> HashFile {
        var file = HashFile()
        file.add([("a", "one"), ("b", "")])
        file.add([("c", "three")])
        return file
    }

    @Test func itemsOfAllPagesAreFound() {
        #expect(Self.file().entries == ["a=one", "b=", "c=three"])
        #expect(HashFile().entries == [])
        var unsorted = HashFile(pageSize: 4096)
        unsorted.add([[1, 97], [1, 98]], type: 2)
        unsorted.add([[1, 99], [1, 100]], type: 7)
        #expect(unsorted.entries == ["a=b"], "pages of another type are passed over")
    }

    @Test func anotherKindOfFileIsNone() {
        #expect(BerkeleyHash([]) == nil)
        #expect(BerkeleyHash([UInt8](repeating: 0, count: 4096)) == nil)
        for (offset, value) in [(12, 0), (24, 1), (26, 1), (20, 0), (20, 256), (20, 513), (20, 131_072), (20, 0xffff_ffff)] {
            var file = Self.file()
            file.put(value, at: offset, offset == 12 || offset == 20 ? 4 : 1)
            #expect(BerkeleyHash(file.bytes) == nil, "\(value) at \(offset)")
        }
    }

    @Test func aTruncatedFileIsReadAsFarAsItsPagesAreWhole() {
        let whole = Self.file()
        for count in 0...whole.bytes.count {
            let found = BerkeleyHash(Array(whole.bytes.prefix(count)))?.entries()?.count
            #expect(found == (count < 512 ? nil : [0, 2, 3][count / 512 - 1]), "\(count) bytes")
        }
    }

    /// What a page says of itself: how many items, and where each begins (the first at 509).
    @Test(
        arguments: [
            (20, 1), (20, 3), (20, 5), (20, 243), (20, 0xffff),
            (26, 0), (26, 33), (26, 512), (26, 513), (26, 0xffff),
            (28, 510), (28, 509), (28, 25), (28, 0xffff),
        ])
    func aPageThatContradictsItselfIsRefused(offset: Int, value: Int) {
        var file = HashFile()
        file.add([("a", "one"), ("b", "")])
        #expect(file.entries != nil)
        file.put(value, at: 512 + offset, 2)
        #expect(file.entries == nil)
    }

    @Test func itemsThatAreKeptElsewhereAreRefused() {
        for kind in [UInt8(0), 2, 3, 4, 255] {
            var file = HashFile()
            file.add([[1, 97], [kind, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0]])
            #expect(file.entries == nil)
        }
    }

    /// Pages that name each other, or themselves, as the next one: nobody follows them.
    @Test func aChainOfPagesThatNeverEndsIsNotFollowed() {
        var file = Self.file()
        for (page, next) in [(1, 2), (2, 1)] {
            file.put(page == 1 ? 2 : 1, at: page * 512 + 12, 4)
            file.put(next, at: page * 512 + 16, 4)
        }
        #expect(file.entries == ["a=one", "b=", "c=three"])
    }

    /// Each byte of a file changed in turn, in three ways: no answer is wrong, but one has to come.
    @Test func noByteOfAFileLeadsOutOfIt() {
        let whole = Self.file().bytes
        for index in whole.indices {
            for change in [UInt8(0xff), 0x80, 0x01] {
                var bytes = whole
                bytes[index] ^= change
                let found = BerkeleyHash(bytes)?.entries() ?? []
                #expect(found.count <= 3)
            }
        }
    }
}

struct SASLConfigurationTests {
    private func read(_ text: String) -> SASLConfiguration { SASLConfiguration(Array(text.utf8)) }

    @Test func linesOfAConfigurationAreRead() {
        #expect(read("") == SASLConfiguration())
        #expect(read("").database == "/etc/sasldb2" && read("").check == nil)
        #expect(read("sasldb_path: /a/b").database == "/a/b")
        #expect(read("sasldb_path:/a/b\n").database == "/a/b")
        #expect(read("mech_list: plain\n\tsasldb_path \t:  /a b:c \r\nno colon\n").database == "/a b:c")
        #expect(read("# sasldb_path: /no\n#\n\n:\nsasldb_path: /yes").database == "/yes")
        #expect(read("sasldb_path: /one\nsasldb_path: /two\n").database == "/two")
        #expect(read("pwcheck_method: saslauthd auxprop").check == "saslauthd auxprop")
    }

    @Test func bytesThatAreNoTextHarmNothing() {
        #expect(SASLConfiguration([0xff, 0xfe, 0, 10, 58, 10, 0xc3]) == SASLConfiguration())
    }

    @Test func theVariableNamesAFolderOrAFile() throws {
        let scratch = try Scratch()
        try scratch.write("memcached.conf", "sasldb_path: /in/folder".utf8)
        #expect(try SASLConfiguration.found(scratch.path).database == "/in/folder")
        #expect(try SASLConfiguration.found(scratch.path + "/memcached.conf").database == "/in/folder")
        let missing = failure { () throws(Failure) in _ = try SASLConfiguration.found(scratch.path + "/none") }
        #expect(missing?.sentence.contains("SASL_CONF_PATH") == true)
    }
}

struct SASLDatabaseTests {
    private func names(_ file: HashFile, check: String? = nil) throws -> [String] {
        let scratch = try Scratch()
        try scratch.write("sasldb", file.bytes)
        var configuration = SASLConfiguration()
        configuration.database = scratch.path + "/sasldb"
        configuration.check = check
        return try SASLDatabase.users(configuration, host: Array("here".utf8)).users.map {
            String(decoding: $0.name, as: UTF8.self) + "|" + String(decoding: $0.password, as: UTF8.self)
        }
    }

    private func file(_ pairs: [(String, String)]) -> HashFile {
        var file = HashFile()
        file.add(pairs)
        return file
    }

    @Test func usersOfThisHostNeedNotNameIt() throws {
        let file = file([
            ("al\0here\0userPassword", "one"), ("bob\0there\0userPassword", "two"), ("al\0here\0other", "x"), ("odd", "y"),
        ])
        #expect(try names(file) == ["al@here|one", "al|one", "bob@there|two"])
        #expect(try names(file, check: "saslauthd auxprop").count == 3)
    }

    @Test func whatNamesNobodyIsRefused() throws {
        let nobody = file([("al\0here\0other", "x")]), somebody = file([("al\0here\0userPassword", "one")])
        #expect(throws: Failure.self) { try names(nobody) }
        #expect(throws: Failure.self) { try names(HashFile()) }
        #expect(throws: Failure.self) { try names(somebody, check: "saslauthd") }
        #expect(try names(somebody, check: "auxprop").count == 2)
    }
}
