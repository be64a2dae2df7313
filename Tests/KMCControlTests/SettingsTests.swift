// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import Testing

@testable import KMCControl

struct SettingsTests {
    /// Each field another value, so that a mix-up shows.
    private static let full: InstanceSettings = {
        var settings = InstanceSettings()
        settings.memoryLimit = 1 << 40
        settings.evict = false
        settings.connectionLimit = 3
        settings.growthFactor = 1250
        settings.sizeMin = 48
        settings.itemSizeMax = 6
        settings.requestsPerEvent = 7
        settings.backlog = 8
        settings.cas = true
        settings.prefixDelimiter = 10
        settings.statsDetail = true
        settings.verbose = 2
        settings.flushEnabled = false
        settings.shutdownEnabled = true
        settings.threads = 15
        settings.wireProtocol = .text
        settings.hashPower = 17
        settings.maxconnsFast = false
        settings.slabChunkMax = 19
        settings.idleTimeout = 20
        settings.unixMask = 0o700
        settings.interfaces = "127.0.0.1,::1"
        settings.authentication = .sasl
        settings.authFile = "/etc/users"
        settings.lruMaintainer = true
        settings.lruSegmented = false
        settings.hotPercent = 25
        settings.warmPercent = 26
        settings.hotMaxFactor = 27
        settings.warmMaxFactor = 28
        settings.temporaryLRU = true
        settings.temporaryTTL = 30
        settings.lruCrawler = false
        settings.lruCrawlerSleep = 32
        settings.lruCrawlerMost = 33
        settings.hashAlgorithm = .xxh3
        settings.hashExpand = false
        settings.tailRepairTime = 36
        settings.slabReassign = false
        settings.slabAutomove = 24
        settings.slabAutomoveRatio = 25
        settings.slabAutomoveWindow = 26
        settings.slabAutomoveFreeRatio = 27
        settings.slabSizes = "96-120"
        settings.trackSizes = true
        settings.dumpEnabled = false
        settings.watchEnabled = false
        settings.watcherLogBufferSize = 45
        settings.workerLogBufferSize = 46
        settings.readBufferLimit = 47
        settings.initialMalloc = 1 << 48
        return settings
    }()

    @Test func everySettingOfTheContractHasARowAndNoneHasTwo() {
        let attributes = InstanceSettings.rows.map(\.attribute.rawValue)
        #expect(attributes.sorted() == Array(1..<__KMC_S_MAX.rawValue))
    }

    @Test func whatIsEncodedIsDecodedAgain() throws {
        let message = try MessageWriter(family: 0x1d, command: KMC_CMD_NEW, sequence: 1, port: 1)
        try Self.full.encode(into: message)
        let bytes = message.bytes()
        let attributes = try Attributes(bytes[20...])
        for row in InstanceSettings.rows { #expect(attributes.payload(row.attribute.rawValue) != nil) }
        #expect(try InstanceSettings(attributes) == Self.full)
    }

    @Test func whatIsAbsentIsNotSent() throws {
        let message = try MessageWriter(family: 0x1d, command: KMC_CMD_NEW, sequence: 1, port: 1)
        try InstanceSettings().encode(into: message)
        #expect(message.bytes().count == 20)
    }
}
