// SPDX-License-Identifier: MIT

import ArgumentParser
import KMCControl

/// `umemcached stats`
struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Print an instance's statistics, as a client's \"stats\" shows them.",
        discussion: """
            A single word is an instance if one goes by it, else a group of the only instance:
            settings, items, slabs.
            """)

    @Argument(help: "Id, name or port; may be left out when there is one instance.")
    var instance: String?

    @Argument(help: "What a client would write behind \"stats\".")
    var group: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let control = try Control()
        let (instance, group) = try Self.choose(instance, group, among: try control.list())
        let rows = try control.statistics(of: .id(instance.id), group: group)
        let format: Format = json ? .json : .text
        Console.out(format.render(rows.map { ($0.name, $0.value) }))
    }

    static func choose(
        _ first: String?, _ second: String?, among instances: [Instance]
    ) throws(Failure) -> (Instance, String?) {
        if second == nil, let first, InstanceChoice.match(first, among: instances).isEmpty, instances.count == 1 {
            return (instances[0], first)
        }
        return (try InstanceChoice.find(first, among: instances), second)
    }
}
