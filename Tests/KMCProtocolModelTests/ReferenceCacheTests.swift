// SPDX-License-Identifier: MIT

import KMCProtocolModel
import Testing

@Suite struct ReferenceCacheTests {
    private let key = Bytes("k")

    private func set(_ cache: inout ReferenceCache, expiry: Int32 = 0, value: String = "v") {
        #expect(cache.execute(.store(Store(.set, key: key, value: Bytes(value), expiry: expiry))) == .stored)
    }

    private func holds(_ cache: inout ReferenceCache) -> Bool {
        cache.execute(.get(keys: [key], unique: false)) != .values([])
    }

    private func unique(_ cache: inout ReferenceCache) -> UInt64? {
        guard case .values(let values) = cache.execute(.get(keys: [key], unique: true)) else { return nil }
        return values.first?.unique
    }

    @Test(arguments: [(Int32(1), 1), (5, 5), (2_592_000, 2_592_000)] as [(Int32, Int64)])
    func relativeExpiry(_ expiry: Int32, _ seconds: Int64) {
        var cache = ReferenceCache()
        set(&cache, expiry: expiry)
        cache.clock += seconds - 1
        #expect(holds(&cache))
        cache.clock += 1
        #expect(!holds(&cache))
        #expect(cache.count == 0)
    }

    @Test func absoluteExpiry() {
        var cache = ReferenceCache()
        let due = Int32(cache.clock + 100)
        set(&cache, expiry: due)
        cache.clock += 99
        #expect(holds(&cache))
        cache.clock += 1
        #expect(!holds(&cache))
        set(&cache, expiry: due)
        #expect(!holds(&cache), "a time that has passed")
    }

    @Test func negativeExpiryIsStoredAndGone() {
        var cache = ReferenceCache()
        set(&cache, expiry: -1)
        #expect(!holds(&cache))
        #expect(cache.execute(.store(Store(.add, key: key, value: []))) == .stored)
    }

    @Test func expiryCountsFromTheLine() {
        let server = ServerModel()
        let connection = server.connect()
        connection.receive(Bytes("set k 0 5 1\r\n"))
        server.cache.clock += 4
        connection.receive(Bytes("v\r\n"))
        server.cache.clock += 1
        #expect(connection.receive(Bytes("get k\r\n")) == Bytes("END\r\n"))
    }

    @Test func touchChangesOnlyTheExpiry() {
        var cache = ReferenceCache()
        set(&cache, expiry: 5)
        let before = unique(&cache)
        #expect(cache.execute(.touch(key: key, expiry: 100)) == .touched)
        #expect(unique(&cache) == before)
        cache.clock += 99
        #expect(holds(&cache))
        #expect(cache.execute(.getAndTouch(expiry: 5, keys: [key], unique: false)) != .values([]))
        cache.clock += 5
        #expect(cache.execute(.touch(key: key, expiry: 0)) == .notFound)
    }

    @Test func numbersKeepTheirExpiryAndFlags() {
        var cache = ReferenceCache()
        #expect(cache.execute(.store(Store(.set, key: key, value: Bytes("9"), flags: 7, expiry: 5))) == .stored)
        #expect(cache.execute(.arithmetic(Arithmetic(.incr, key: key, delta: 1))) == .number(10))
        #expect(
            cache.execute(.get(keys: [key], unique: false)) == .values([Value(key: key, flags: 7, data: Bytes("10"))]))
        cache.clock += 5
        #expect(cache.execute(.arithmetic(Arithmetic(.incr, key: key, delta: 1))) == .notFound)
    }

    @Test func compareAndSwapIsExact() throws {
        var cache = ReferenceCache()
        set(&cache)
        let first = try #require(unique(&cache))
        let swap = Command.store(Store(.cas, key: key, value: Bytes("w"), unique: first))
        #expect(cache.execute(swap) == .stored)
        #expect(cache.execute(swap) == .exists)
        #expect(unique(&cache) != first)
        _ = cache.execute(.delete(key: key))
        #expect(cache.execute(swap) == .notFound)
    }

    /// What fresh servers showed; kmemcache begins as 1.6.45 and counts as 1.6.18.
    @Test(arguments: [(Dialect.v1_6_18, [1, 2, 3, 4]), (.v1_6_45, [2, 4, 5, 7]), (.kmemcache, [2, 3, 4, 5])] as [(Dialect, [UInt64])])
    func uniquesOfAFreshServer(_ dialect: Dialect, _ expected: [UInt64]) {
        let connection = ServerModel(dialect: dialect).connect()
        var decoder = TextReplyDecoder()
        decoder.append(connection.receive(Bytes("""
            decr k 1\nset k 0 0 1\n1\r\ngets k\nadd k 0 0 1\nx\r\nset k 0 0 1\n5\r\ngets k\nincr k 1\ngets k
            set q 0 0 1\nxyz\r\ncas z 0 0 1 9\nx\r\nset k 0 0 1\n5\r\ngets k\n
            """)))
        var seen: [UInt64] = []
        while case .some(let reply?) = try? decoder.next() {
            if case .values(let values) = reply { seen += values.compactMap(\.unique) }
        }
        #expect(seen == expected)
    }

    @Test func flushNow() {
        var cache = ReferenceCache()
        set(&cache)
        _ = cache.execute(.flushAll(delay: 0))
        #expect(!holds(&cache))
        set(&cache)
        #expect(holds(&cache), "stored in the same second, after the flush")
    }

    /// memcached lets a delayed flush come into force one second early, and everything stored up to then is gone.
    @Test func flushLater() {
        var cache = ReferenceCache()
        set(&cache)
        _ = cache.execute(.flushAll(delay: 3))
        cache.clock += 1
        #expect(holds(&cache))
        set(&cache)
        cache.clock += 1
        #expect(!holds(&cache))
        set(&cache)
        #expect(!holds(&cache))
        cache.clock += 1
        set(&cache)
        #expect(holds(&cache))
    }

    @Test func laterFlushTakesThePlaceOfAnEarlier() {
        var cache = ReferenceCache()
        _ = cache.execute(.flushAll(delay: 3))
        _ = cache.execute(.flushAll(delay: 0))
        set(&cache)
        cache.clock += 10
        #expect(holds(&cache))
    }

    @Test func counters() {
        var cache = ReferenceCache()
        set(&cache)
        _ = cache.execute(.get(keys: [key, Bytes("a"), key], unique: false))
        _ = cache.execute(.getAndTouch(expiry: 0, keys: [key, Bytes("a")], unique: false))
        _ = cache.execute(.touch(key: key, expiry: 0))
        _ = cache.execute(.delete(key: Bytes("a")))
        _ = cache.execute(.arithmetic(Arithmetic(.incr, key: Bytes("a"), delta: 1)))
        _ = cache.execute(.arithmetic(Arithmetic(.decr, key: key, delta: 1)))
        _ = cache.execute(.store(Store(.cas, key: key, value: [], unique: 99)))
        var expected = Counters()
        expected.setCommands = 2
        expected.getCommands = 3
        expected.getHits = 2
        expected.getMisses = 1
        expected.touchCommands = 3
        expected.touchHits = 2
        expected.touchMisses = 1
        expected.deleteMisses = 1
        expected.incrementMisses = 1
        expected.casBadValues = 1
        expected.totalItems = 1
        #expect(cache.counters == expected)
    }

    @Test func sameKeyTwiceInOneGet() {
        var cache = ReferenceCache()
        set(&cache)
        let value = Value(key: key, flags: 0, data: Bytes("v"))
        #expect(cache.execute(.get(keys: [key, key], unique: false)) == .values([value, value]))
    }
}
