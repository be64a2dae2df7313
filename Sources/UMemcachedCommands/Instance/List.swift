// SPDX-License-Identifier: MIT

import ArgumentParser
import KMCControl

/// `umemcached list`
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the instances that run.")

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "List those of every network namespace of the machine.")
    var allNamespaces = false

    func run() throws {
        let instances = try Control().list(everywhere: allNamespaces)
        let format: Format = json ? .json : .text
        if instances.isEmpty && !json {
            Console.out("no instance is running\n")
        } else {
            Console.out(format.render(Self.table(instances, namespaces: allNamespaces)))
        }
    }

    static func table(_ instances: [Instance], namespaces: Bool) -> Table {
        var columns = [
            Column("id", "ID"), Column("name", "NAME"), Column("listens", "LISTENS"), Column("state", "STATE"),
            Column("attached", "ATTACHED"), Column("pid", "PID"), Column("connections", "CONNECTIONS"),
            Column("uptime", "UPTIME"),
        ]
        if namespaces { columns.append(Column("namespace", "NAMESPACE")) }
        let rows = instances.map { instance in
            [
                .integer(UInt64(instance.id)), .text(instance.name), .list(instance.places),
                .text(instance.state.description), .flag(instance.isAttached), .integer(UInt64(instance.pid)),
                .integer(UInt64(instance.connections)), .seconds(instance.uptime),
            ] + (namespaces ? [Value.integer(instance.namespace ?? 0)] : [])
        }
        return Table(columns: columns, rows: rows)
    }
}
