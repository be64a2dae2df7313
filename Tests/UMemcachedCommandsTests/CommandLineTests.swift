// SPDX-License-Identifier: MIT

import KMCControl
import Testing

@testable import UMemcachedCommands

/// A server's command line, in every form that memcached takes.
struct CommandLineTests {
    private static func options(_ words: String..., own: Bool = true) throws -> ServerOptions {
        guard case .serve(let options) = try ServerCommandLine.parse(["umemcached"] + words, own: own) else {
            throw Failure("it printed instead", status: 0)
        }
        return options
    }

    private static func failure(_ words: [String], own: Bool = true) -> Failure? {
        do throws(Failure) {
            _ = try ServerCommandLine.parse(["umemcached"] + words, own: own)
            return nil
        } catch {
            return error
        }
    }

    @Test func withoutOptionsNothingIsSet() throws {
        #expect(try Self.options() == ServerOptions())
    }

    @Test func lettersMayBeClusteredWithAValueAtTheEnd() throws {
        let options = try Self.options("-vp11213")
        #expect(options.settings.verbose == 1)
        #expect(options.port == 11213)
    }

    @Test func aValueMayFollowWithOrWithoutSpace() throws {
        #expect(try Self.options("-p", "-1").port == -1)
        #expect(try Self.options("-p-1").port == -1)
        #expect(try Self.options("--port=5").port == 5)
        #expect(try Self.options("--port", "5").port == 5)
        #expect(try Self.options("-p", " 5").port == 5)
    }

    @Test func longNamesMayBeCutShort() throws {
        #expect(try Self.options("--unix-s=/tmp/a").unixPath == "/tmp/a")
        #expect(try Self.options("--memory-l", "9").settings.memoryLimit == 9 << 20)
        #expect(Self.failure(["--unix=/tmp/a"])?.status == 1)
    }

    @Test func suboptionsMayBeGluedAndRepeated() throws {
        let options = try Self.options(
            "-omaxconns_fast,hashpower=20", "-o", "slab_chunk_max=16", "-o", "idle_timeout=9")
        #expect(options.settings.maxconnsFast == true)
        #expect(options.settings.hashPower == 20)
        #expect(options.settings.slabChunkMax == 16 << 10)
        #expect(options.settings.idleTimeout == 9)
        #expect(try Self.options("-o", "no_maxconns_fast").settings.maxconnsFast == false)
    }

    @Test func slabPagesHaveSuboptions() throws {
        let options = try Self.options(
            "-o", "slab_automove=2,slab_automove_ratio=0.75,slab_automove_window=5",
            "-o", "no_slab_reassign,slab_sizes=96-120-240,track_sizes")
        #expect(options.settings.slabAutomove == 2)
        #expect(options.settings.slabAutomoveRatio == 750_000)
        #expect(options.settings.slabAutomoveWindow == 5)
        #expect(options.settings.slabReassign == false)
        #expect(options.settings.slabSizes == "96-120-240")
        #expect(options.settings.trackSizes == true)
        #expect(try Self.options("-o", "slab_automove,slab_reassign").settings.slabAutomove == 1)
        #expect(try Self.options("-o", "no_slab_automove").settings.slabAutomove == 0)
    }

    @Test(arguments: [
        "slab_automove=3", "slab_automove=-1", "slab_automove_ratio", "slab_automove_ratio=0", "slab_automove_ratio=1.1",
        "slab_automove_window=2", "slab_automove_window=1801", "slab_sizes",
    ])
    func slabSuboptionsOutOfRangeAreRefused(_ list: String) {
        #expect(Self.failure(["-o", list])?.status == 1)
    }

    @Test func addressesMayBeSeveral() throws {
        #expect(try Self.options("-l", "a,b", "-l", "c;[::1]:5", "-l", "a").listen == ["a", "b", "c", "[::1]:5"])
    }

    @Test func verboseCountsToThree() throws {
        #expect(try Self.options("-v").settings.verbose == 1)
        #expect(try Self.options("-vv").settings.verbose == 2)
        #expect(try Self.options("-vvvv").settings.verbose == 3)
        #expect(try Self.options("--verbose=2").settings.verbose == 1)
    }

    @Test func everyOptionFindsItsSetting() throws {
        let options = try Self.options(
            "-a", "0770", "-A", "-m", "1024", "-M", "-c", "5", "-f", "1.08", "-n", "40", "-I", "2m", "-R", "7", "-b",
            "8",
            "-C", "-D", "|", "-F", "-t", "2", "-u", "root", "-U", "0", "-s", "/tmp/s", "-B", "ascii")
        var expected = InstanceSettings()
        expected.unixMask = 0o770
        expected.shutdownEnabled = true
        expected.memoryLimit = 1 << 30
        expected.evict = false
        expected.connectionLimit = 5
        expected.growthFactor = 1080
        expected.sizeMin = 40
        expected.itemSizeMax = 2 << 20
        expected.requestsPerEvent = 7
        expected.backlog = 8
        expected.cas = false
        expected.prefixDelimiter = UInt8(ascii: "|")
        expected.statsDetail = true
        expected.flushEnabled = false
        expected.threads = 2
        expected.wireProtocol = .text
        #expect(options.settings == expected)
        #expect(options.user == "root")
        #expect(options.udpPort == 0)
        #expect(options.unixPath == "/tmp/s")
    }

    @Test(
        arguments: [
            ("1024", 1024), ("4k", 4096), ("4K", 4096), ("3m", 3 << 20), ("1024M", 1 << 30), ("2048x", 2048),
            ("2kb", nil), ("1g", nil),
        ] as [(String, UInt32?)])
    func sizesHaveSuffixes(text: String, bytes: UInt32?) throws {
        #expect((try? Self.options("-I", text))?.settings.itemSizeMax == bytes)
    }

    @Test(
        arguments: [
            ("1.25", 1250), ("2", 2000), ("1.1", 1100), ("1.0009", 1001), ("1.001", 1001), ("1.5.1", 1500), (".", nil),
            ("1", nil), ("", nil), ("1e9", 1_000_000), ("nan", nil),
        ]
            as [(String, UInt32?)])
    func factorsAreThousandths(text: String, thousandths: UInt32?) {
        #expect((try? Self.options("-f", text))?.settings.growthFactor == thousandths)
    }

    /// Statuses as memcached 1.6.45 has them: 1 where it returns, 64 where it exits with EX_USAGE.
    @Test(
        arguments: [
            (["-c", "0"], 1), (["-c", "-1"], 1), (["-c", "x"], 1), (["-N", "0"], 1), (["-N", "x"], 1), (["-t", "0"], 1), (["-R", "0"], 1),
            (["-n", "0"], 1), (["-f", "1"], 1), (["-f", "abc"], 1), (["-D", ""], 1), (["-p", "65536"], 64),
            (["-m", "x"], 64), (["-m", "0"], 64), (["-m", "131073"], 64),
            (["-n", "1048577"], 1), (["-I", "1000"], 64),
            (["-I", "2g"], 64),
            (["-I", "99999999999999999g"], 64), (["-B", "http"], 64),
            (["-b", "-1"], 64), (["-o", "nonsense"], 1), (["-o", "hashpower"], 1),
            (["-o", "hashpower=11"], 1), (["-o", "hashpower=33"], 1), (["-o", "slab_chunk_max=1025"], 1),
            (["-o", "slab_chunk_max=4x"], 1), (["-o", "slab_chunk_max"], 1), (["-o", "tail_repair_time"], 1),
            (["-o", "tail_repair_time=9"], 1), (["-o", "worker_logbuf_size=1x"], 1), (["-o", ",modern"], 1),
            (["-o", "modern,,modern"], 1), (["-o", "ext_path=/a:1g"], 1), (["-o", "slab_automove_freeratio=0.01"], 1),
            (["-o", "proxy_config=/a"], 1),
            (["-o", "ssl_key=/a"], 1), (["-o", "idle_timeout"], 1), (["-o", "sock_cookie_id"], 1), (["-x"], 1), (["--nonsense"], 1), (["-p"], 1), (["--port"], 1),
            (["-s", ""], 64),
            (["--disable-cas=3"], 1), (["-P", ""], 64), (["-Z"], 64), (["-Y", ""], 64),
            (["-e", "f"], 64),
            (["start"], 64),
        ] as [([String], Int32)])
    func whatIsWrongHasItsStatusAndASentence(words: [String], status: Int32) throws {
        let failure = try #require(Self.failure(words))
        #expect(failure.status == status)
        #expect(failure.sentence.count > 15)
    }

    @Test func sentencesNameTheOption() {
        #expect(Self.failure(["-vp"])?.sentence == "-p needs a value")
        #expect(Self.failure(["-vx"])?.sentence.contains("\"-x\"") == true)
        #expect(Self.failure(["--xy=5"])?.sentence.contains("\"--xy=5\"") == true)
        #expect(Self.failure(["-c", "0"])?.sentence == "-c takes a number from 1 to 2147483647, not \"0\"")
        #expect(
            Self.failure(["-o", "hashpower=9"])?.sentence == "-o hashpower takes a number from 12 to 32, not \"9\"")
        #expect(Self.failure(["-Z"])?.sentence.contains("-Z is not offered") == true)
        for name in ["ext_path", "slab_automove_freeratio"] {
            let sentence = Self.failure(["-o", "\(name)=0.01"])?.sentence
            #expect(sentence?.hasPrefix("-o \(name) is not offered: extstore ") == true)
        }
    }

    /// memcached reads most numbers with atoi(), which stops where the number ends and makes 0 of what is none.
    @Test func numbersAreReadAsMemcachedReadsThem() throws {
        #expect(try Self.options("-m", "64MB").settings.memoryLimit == 64 << 20)
        #expect(try Self.options("-p", "11211x").port == 11211)
        #expect(try Self.options("-p", "eleven").port == 0)
        #expect(try Self.options("-c", "99999999999").settings.connectionLimit == 1_215_752_191)
        #expect(try Self.options("-t", "4threads").settings.threads == 4)
        #expect(try Self.options("-b", "x").settings.backlog == 0)
        #expect(try Self.options("-a", "0777777").settings.unixMask == 0o777)
        #expect(try Self.options("-a", "8").settings.unixMask == 0)
        #expect(try Self.options("-o", "hashpower=20x").settings.hashPower == 20)
        #expect(try Self.options("-o", "idle_timeout=x").settings.idleTimeout == 0)
        #expect(try Self.options("-o", "slab_chunk_max=4 x").settings.slabChunkMax == 4096)
    }

    /// memcached's safe_strtoul(), whose refusal nobody looks at: the mark is 0 then, which is none.
    @Test(
        arguments: [
            ("5", 5), (" 5", 5), ("5 x", 5), ("4294967295", .max), ("4294967297", 1), ("0x5", 0), ("5x", 0), ("", 0),
            ("-5", 0), ("99999999999999999999", 0),
        ] as [(String, UInt32)])
    func aMarkThatCannotBeReadIsNone(text: String, mark: UInt32) throws {
        #expect(try Self.options("-o", "sock_cookie_id=" + text).socketMark == mark)
    }

    @Test func whatHasNoEffectIsTaken() throws {
        let plain = try Self.options().settings
        #expect(try Self.options("-k", "-L", "-r", "-N", "3").settings == plain)
        let list = "modern,relaxed_privileges,drop_privileges,no_drop_privileges,inline_ascii_resp,"
            + "no_inline_ascii_resp,resp_obj_mem_limit=3,"
        #expect(try Self.options("-o", list).settings == plain)
        #expect(try Self.options("-o", "").settings == plain)
    }

    @Test func theProcessSideHasItsOptions() throws {
        let options = try Self.options("-d", "--pidfile=/run/a.pid", "-u", "nobody")
        #expect(options.daemon)
        #expect(options.pidFile == "/run/a.pid")
    }

    /// memcached.c: the last one that sets the size of chunks counts, and a large `-I` brings the default back.
    @Test(arguments: [
        ("no_chunked_items", "1m", 1 << 20), ("no_modern", "1m", 1 << 20),
        ("slab_chunk_max=256,no_chunked_items", "1m", 1 << 20), ("no_chunked_items,slab_chunk_max=256", "1m", 256 << 10),
        ("slab_chunk_max=256,no_modern", "1m", 256 << 10), ("no_modern", "2m", nil), ("no_chunked_items", "2m", nil),
        ("slab_chunk_max=256,no_chunked_items", "2m", 1 << 20),
    ] as [(String, String, UInt32?)])
    func chunksMayBeTurnedOff(list: String, item: String, chunk: UInt32?) throws {
        #expect(try Self.options("-o", list, "-I", item).settled.slabChunkMax == chunk)
    }

    @Test func oldDefaultsLetConnectionsWaitAndHaveOneLRU() throws {
        let old = try Self.options("-o", "no_modern").settings
        #expect(old.maxconnsFast == false)
        #expect(old.lruMaintainer == false && old.lruSegmented == false && old.lruCrawler == false)
        #expect(old.hashAlgorithm == .jenkins)
        let mixed = try Self.options("-o", "no_modern,lru_maintainer,lru_crawler,hash_algorithm=xxh3").settings
        #expect(mixed.lruMaintainer == true && mixed.lruSegmented == true && mixed.lruCrawler == true)
        #expect(mixed.hashAlgorithm == .xxh3)
    }

    @Test func lruHasItsSuboptions() throws {
        let list = "hot_lru_pct=10,warm_lru_pct=70,hot_max_factor=0.1,warm_max_factor=3,temporary_ttl=5,"
            + "lru_crawler_sleep=1000000,lru_crawler_tocrawl=4294967295,tail_repair_time=10,no_hashexpand"
        let settings = try Self.options("-o", list).settled
        #expect(settings.hotPercent == 10 && settings.warmPercent == 70)
        #expect(settings.hotMaxFactor == 100 && settings.warmMaxFactor == 3000)
        #expect(settings.temporaryLRU == true && settings.temporaryTTL == 5)
        #expect(settings.lruCrawlerSleep == 1_000_000 && settings.lruCrawlerMost == .max)
        #expect(settings.tailRepairTime == 10 && settings.hashExpand == false)
        #expect(try Self.options().settled.temporaryLRU == nil)
        #expect(try Self.options("-o", "hot_max_factor=0.0001").settings.hotMaxFactor == 1)
        #expect(try Self.options("-o", "no_lru_maintainer").settings.lruSegmented == false)
    }

    @Test(arguments: [
        ("hot_lru_pct=0", 1), ("warm_lru_pct=80", 1), ("hot_max_factor=0", 1), ("warm_max_factor=x", 1),
        ("lru_crawler_sleep=1000001", 1), ("lru_crawler_tocrawl=4x", 1), ("tail_repair_time=9", 1),
        ("hash_algorithm=md5", 1), ("hash_algorithm", 1),
    ] as [(String, Int32)])
    func whatTheLRUCannotDoIsRefused(list: String, status: Int32) {
        #expect(Self.failure(["-o", list])?.status == status)
    }

    @Test func whatTestHarnessesAlwaysPassIsTaken() throws {
        #expect(try Self.options("-o", "relaxed_privileges", "-u", "root").user == "root")
    }

    @Test func underMemcachedsNameOwnOptionsAndWordsDoNotCount() throws {
        #expect(Self.failure(["--foreground"], own: false)?.status == 1)
        #expect(Self.failure(["--name=a"], own: false)?.status == 1)
        #expect(try Self.options("stop", "-p", "5", own: false).port == 5)
        #expect(try Self.options("--foreground", "--name", "a").foreground)
    }

    @Test(arguments: [
        ("-h", OptionRow.Printout.help), ("--help", .help), ("-V", .version), ("-i", .license), ("-vh", .help),
    ])
    func someOptionsOnlyPrint(word: String, what: OptionRow.Printout) throws {
        #expect(try ServerCommandLine.parse(["umemcached", word], own: true) == .show(what))
    }
}

/// What must fit together.
struct OptionCheckTests {
    private static func complaint(_ words: String..., attached: Bool = false) throws -> Failure? {
        guard case .serve(let options) = try ServerCommandLine.parse(["umemcached"] + words, own: true) else {
            return nil
        }
        do throws(Failure) {
            try options.check(attached: attached)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatMemcachedTakesIsTaken() throws {
        #expect(try Self.complaint() == nil)
        #expect(try Self.complaint("-I", "1024", "-o", "slab_chunk_max=1") == nil)
        #expect(try Self.complaint("-I", "2097152") == nil)
        #expect(try Self.complaint("-I", "512k", "-o", "slab_chunk_max=16") == nil)
        #expect(try Self.complaint("-m", "256", "-I", "32m") == nil)
        #expect(try Self.complaint("-p", "0", "-s", "/tmp/a") == nil)
    }

    @Test func whatDoesNotFitIsAQuestionOfUsage() throws {
        #expect(try Self.complaint("-I", "256m")?.sentence.contains("half of the memory") == true)
        #expect(try Self.complaint("-I", "1024")?.sentence.contains("slab_chunk_max") == true)
        #expect(try Self.complaint("-I", "1536k", "-o", "slab_chunk_max=1024")?.sentence.contains("multiple") == true)
        #expect(try Self.complaint("-I", "3m", "-o", "slab_chunk_max=768")?.sentence.contains("power of two") == true)
        #expect(try Self.complaint("-p", "0")?.sentence.contains("nothing to listen on") == true)
        #expect(try Self.complaint("-p", "0", attached: true) == nil)
        #expect(try Self.complaint("-P", "/f")?.sentence.contains("-P needs a process") == true)
        #expect(try Self.complaint("-P", "/f", attached: true) == nil)
        #expect(try Self.complaint("-N", "5")?.status == 64)
        #expect(try Self.complaint("-N", "4") == nil)
        #expect(try Self.complaint("-o", "no_chunked_items", "-I", "512k")?.status == 64)
        #expect(try Self.complaint("-o", "hot_lru_pct=41")?.status == 64)
        #expect(try Self.complaint("-o", "temporary_ttl=5,no_lru_maintainer")?.status == 64)
        #expect(try Self.complaint("-U", "11211") == nil)
        #expect(try Self.complaint("-p", "0", "-U", "-1") == nil)
        #expect(try Self.complaint("-p", "0", "-U", "0")?.sentence.contains("nothing to listen on") == true)
        #expect(try Self.complaint("--name", "7")?.sentence.contains("--name") == true)
    }

    @Test(arguments: ["a", "7a", "A.b_c:d-e", String(repeating: "x", count: 31)])
    func aNameOfTheContractIsTaken(name: String) throws {
        #expect(try Self.complaint("--name", name) == nil)
    }

    @Test(arguments: ["123", "a b", "a/b", "\u{e4}", String(repeating: "x", count: 32)])
    func anyOtherNameIsRefused(name: String) throws {
        #expect(try Self.complaint("--name", name)?.status == 64)
    }
}
