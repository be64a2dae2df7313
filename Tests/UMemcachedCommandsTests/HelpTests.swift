// SPDX-License-Identifier: MIT

import Glibc
import Testing

@testable import UMemcachedCommands

struct HelpTests {
    @Test(arguments: [("umemcached", true), ("memcached", false)])
    func theHelpIsTheGoldenFile(program: String, own: Bool) throws {
        let golden = try text(ofFile: "Golden/\(program)-help.txt")
        #expect(HelpText.help(program: program, own: own) == golden)
    }

    /// memcached's own tests look for these words to learn what a build can do.
    @Test(arguments: ["ext_path", "proxy_config", "enable-ssl", "no_drop_privileges"])
    func theHelpDoesNotAdvertiseWhatIsNotThere(word: String) {
        #expect(!HelpText.help(program: "memcached", own: false).lowercased().contains(word))
    }

    @Test func theHelpAdvertisesUnixSockets() {
        #expect(HelpText.help(program: "memcached", own: false).contains("unix-socket"))
    }

    @Test func noLineIsLongerThanATerminal() {
        for line in HelpText.help(program: "umemcached", own: true).split(separator: "\n") {
            #expect(line.count <= 100)
        }
    }

    @Test func theVersionIsTheModules() throws {
        let header = try text(ofFile: "../../kmod/core/version.h")
        let parts = ["KMC_PROTOCOL_LEVEL", "KMC_VERSION"].compactMap { name in
            header.split(separator: "\n").first { $0.hasPrefix("#define \(name)\t") }?.split(separator: "\"")
                .dropFirst().first
        }
        #expect(HelpText.version == parts.joined(separator: "-kmemcache-"))
        #expect(HelpText.text(for: .version, program: "memcached", own: false) == "memcached \(HelpText.version)\n")
    }

    @Test(arguments: [("umemcached", true), ("memcached", false)])
    func theLicenceNamesBoth(program: String, own: Bool) {
        let text = HelpText.text(for: .license, program: program, own: own)
        #expect(text.contains("GNU General Public License, version 2") && text.contains("MIT"))
        #expect(text.hasSuffix("\n"))
    }

    @Test func lettersAndNamesAreThereOnce() {
        let rows = OptionTable.options(own: true)
        #expect(Set(rows.compactMap(\.short)).count == rows.compactMap(\.short).count)
        #expect(Set(rows.compactMap(\.name)).count == rows.compactMap(\.name).count)
    }
}
