// SPDX-License-Identifier: MIT

import ArgumentParser
import KMCControl

/// `umemcached stop`
struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop an instance; its listeners, connections and memory are gone when this returns.")

    @Argument(help: "Id, name or port; may be left out when there is one instance.")
    var instance: String?

    @Flag(help: "Stop every instance of this network namespace.")
    var all = false

    @Option(help: "Stop the instance of that id, whatever its network namespace.")
    var id: UInt32?

    func validate() throws {
        guard [instance != nil, all, id != nil].count(where: { $0 }) <= 1 else {
            throw ValidationError("Give an instance, --all or --id, and only one of them.")
        }
    }

    func run() throws {
        let control = try Control()
        if let id { return try Self.stop(id, control) }
        let running = try control.list()
        for instance in all ? running : [try InstanceChoice.find(instance, among: running)] {
            // That it ended since it was listed is as good.
            _ = try unlessGone { () throws(ControlError) in try control.destroy(.id(instance.id)) }
            Self.tidy(instance)
            Console.out("\(printable(instance.name)) is stopped\n")
        }
    }

    /// Own namespace first: looking in others needs more rights.
    private static func stop(_ id: UInt32, _ control: Control) throws {
        let here: Void? = try unlessGone { () throws(ControlError) in try control.destroy(.id(id)) }
        if here == nil { try control.destroy(.id(id), everywhere: true) }
        Console.out("\(id) is stopped\n")
    }

    /// Nobody else removes the path of a detached instance.
    private static func tidy(_ instance: Instance) {
        for case .unix(let path) in instance.endpoints where path.hasPrefix("/") { UnixPath.removeStale(path) }
    }
}
