// SPDX-License-Identifier: MIT

import ArgumentParser
import KMCControl

/// `umemcached status`
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell how instances are doing: where they listen, memory, connections, hits.")

    @Argument(help: "Id, name or port of one instance; all when absent.")
    var instance: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let control = try Control()
        let all = try control.list()
        let chosen = instance == nil && !all.isEmpty ? all : [try InstanceChoice.find(instance, among: all)]
        var records: [Record] = []
        for instance in chosen {
            let rows = try unlessGone { () throws(ControlError) in try control.statistics(of: .id(instance.id)) }
            if let rows { records.append(Self.record(instance, rows)) }
        }
        let format: Format = json ? .json : .text
        Console.out(format.render(records))
    }

    static func record(_ instance: Instance, _ statistics: [Statistic]) -> Record {
        func number(_ name: String) -> UInt64 {
            statistics.first { $0.name == name }.flatMap { UInt64($0.value) } ?? 0
        }
        let life = instance.isAttached ? "attached" : "detached"
        let hits = number("get_hits")
        return Record(
            heading: "\(instance.name) (id \(instance.id), \(life), \(instance.state.description))",
            fields: [
                (Column("id", "id"), .integer(UInt64(instance.id))),
                (Column("name", "name"), .text(instance.name)),
                (Column("listens", "listens on"), .list(instance.places)),
                (Column("uptime", "running for"), .seconds(instance.uptime)),
                (Column("bytes", "memory used"), .bytes(number("bytes"))),
                (Column("limit_maxbytes", "memory limit"), .bytes(number("limit_maxbytes"))),
                (Column("curr_items", "items"), .integer(number("curr_items"))),
                (Column("evictions", "evictions"), .integer(number("evictions"))),
                (Column("curr_connections", "connections"), .integer(UInt64(instance.connections))),
                (Column("max_connections", "at most"), .integer(number("max_connections"))),
                (Column("cmd_get", "gets"), .integer(number("cmd_get"))),
                (Column("hit_percentage", "hits"), .share(hits, of: hits + number("get_misses"))),
                (Column("cmd_set", "sets"), .integer(number("cmd_set"))),
            ])
    }
}
