// SPDX-License-Identifier: MIT

import ArgumentParser
import Testing

@testable import UMemcachedCommands

struct ConformanceCommandTests {
    @Test(arguments: [
        ["--tcp", "127.0.0.1:1", "--unix", "/tmp/a"], ["--tcp", "nowhere"], ["--scenario", "no-such"],
        ["--login", "nobody"], ["--sasl", ":x"], ["--login", "a:b", "--sasl", "a:b"], ["--udp", "a:1", "--login", "a:b"], ["--udp", "nowhere"], ["--tcp", "127.0.0.1:1", "--udp", "127.0.0.1:1"], ["--operations", "-1"], ["--seed", "x"],
    ])
    func whatCannotBeRunIsRefused(words: [String]) {
        #expect(throws: (any Error).self) { try ConformanceCommand.parse(words) }
    }

    @Test func aServerThatIsNotThereIsNamed() throws {
        let command = try ConformanceCommand.parse(["--unix", "/tmp/umemcached-tests.nobody", "--operations", "1"])
        do {
            try command.run()
            Issue.record("it ran")
        } catch let failure as Failure {
            #expect(failure.status == 71)
            #expect(failure.sentence.contains("/tmp/umemcached-tests.nobody"))
        }
    }

    @Test func verbsAreTheFirstWordOnly() {
        for verb in ["status", "list", "stats", "stop", "conformance", "help"] { #expect(Tool.claims(verb)) }
        #expect(!Tool.claims("-p"))
        #expect(!Tool.claims("stauts"))
    }
}
