// SPDX-License-Identifier: MIT

import ArgumentParser

/// The verbs.
struct Tool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umemcached",
        abstract: "Look after memcached instances that run in the Linux kernel.",
        discussion: """
            Without a verb as its first word it starts a server: "umemcached -h" lists the options of that.
            """,
        subcommands: [Status.self, List.self, Stats.self, Stop.self, ConformanceCommand.self, BenchCommand.self])

    static var verbs: [String] { configuration.subcommands.compactMap { $0.configuration.commandName } }

    /// Whether a command line is for a verb, not for a server.
    static func claims(_ word: String) -> Bool {
        word == "help" || verbs.contains(word)
    }
}
