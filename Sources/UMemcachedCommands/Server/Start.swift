// SPDX-License-Identifier: MIT

import CKMemcacheUAPI
import Glibc
import KMCControl

/// Starts a server: opens its sockets, hands them to the module, and stays or not.
struct Start {
    let options: ServerOptions
    /// For what is printed.
    let program: String
    /// Called by memcached's name: stays, and says nothing.
    let isMemcached: Bool
    /// Where the ports are to be written.
    var portFile = getenv(PortFile.variable).map { String(cString: $0) }
    /// What memcached reads for its own tests: bytes of the memory limit that count as taken already. What is no such
    /// number is passed over, as memcached does.
    var initialMalloc = getenv("T_MEMD_INITIAL_MALLOC").flatMap { UInt64(String(cString: $0)) }
    /// A socket to the module; tests put another one in its place.
    var connect: () throws(ControlError) -> any NetlinkTransport = { () throws(ControlError) in try LibNLTransport() }

    private var isAttached: Bool { isMemcached || options.foreground || options.daemon }
    private var isVerbose: Bool { options.settings.verbose ?? 0 > 0 }

    /// - Returns: the exit status
    func run() throws(Failure) -> Int32 {
        let inherited = try InheritedSockets.take()
        try options.check(attached: isAttached || !inherited.isEmpty)
        let user = try userToBecome()
        // By its whole path: a process in the background has another folder.
        let authentication = try Authentication.asked(by: options)
        guard options.daemon else { return try serve(inherited, user, authentication, nil) }
        switch try Daemon.split() {
        case .caller(let status): return status
        case .background(let daemon): return try serve(inherited, user, authentication, daemon)
        }
    }

    private func serve(
        _ inherited: [ListeningSockets.Socket], _ user: User?, _ authentication: Authentication?, _ daemon: Daemon?
    ) throws(Failure) -> Int32 {
        let table = try authentication?.table()
        // Before anything is made: a signal from here on ends what will have been made.
        let signals = isAttached ? try Signals() : nil
        let control = try asFailure { () throws(ControlError) in try Control(over: connect()) }
        let events = isAttached ? try asFailure { () throws(ControlError) in try EventStream(over: connect()) } : nil
        let sockets = try ListeningSockets.open(
            options, inherited: inherited, complain: { Console.complain($0, as: program) },
            owner: { Self.owner(of: $0, control) })
        do {
            let instance = try create(sockets, user, control, Access(authentication, table))
            if !isMemcached || isVerbose { announce(instance) }
            guard let signals, let events else { return ExitStatus.success }
            var life = AttachedLife(
                program: program, control: control, events: events, signals: signals, id: instance.id)
            life.reloads = Self.reloads(authentication)
            if isVerbose { life.say = { Console.complain($0, as: program) } }
            let status = try stay(life, user, daemon)
            sockets.path?.remove()
            return status
        } catch {
            sockets.path?.remove()
            throw error
        }
    }

    private func create(
        _ sockets: ListeningSockets, _ user: User?, _ control: Control, _ access: Access
    ) throws(Failure) -> Instance {
        if let user { try sockets.path?.give(to: user) }
        let instance = try create(sockets.sockets, control, access)
        if let portFile, options.unixPath == nil {
            do {
                try PortFile.write(sockets.sockets, to: portFile)
            } catch {
                // Whoever waits for the file would wait for ever beside a server that nobody knows of.
                try? control.destroy(.id(instance.id))
                throw error
            }
        }
        // The module has its own references: from here on the ports are as long taken as it serves.
        sockets.close()
        return instance
    }

    private func create(
        _ sockets: [ListeningSockets.Socket], _ control: Control, _ access: Access
    ) throws(Failure) -> Instance {
        do {
            return try ask(
                control, sockets, access, name: options.name ?? sockets.first.map { InstanceName.preset(for: $0.endpoint) })
        } catch .refused(EEXIST, _) where options.name == nil {
            // Another address, the same port: this one goes by its number.
            return try asFailure { () throws(ControlError) in try ask(control, sockets, access, name: nil) }
        } catch .refused(EEXIST, _) {
            let name = options.name ?? ""
            throw Failure(
                "an instance with the name \(name) is running: give another one with --name, "
                    + "or end that one with \"umemcached stop \(name)\"", status: ExitStatus.system)
        } catch {
            throw Failure(error)
        }
    }

    private func ask(
        _ control: Control, _ sockets: [ListeningSockets.Socket], _ access: Access, name: String?
    ) throws(ControlError) -> Instance {
        var settings = options.settled
        settings.initialMalloc = initialMalloc
        settings.backlog = settings.backlog ?? ServerOptions.defaultBacklog
        if options.unixPath != nil { settings.unixMask = settings.unixMask ?? ServerOptions.defaultUnixMask }
        if !options.listen.isEmpty {
            let all = options.listen.joined(separator: ",")
            settings.interfaces = String(decoding: all.utf8.prefix(Int(KMC_INTER_MAX)), as: UTF8.self)
        }
        if let authentication = access.authentication {
            settings.authentication = authentication.mode
            settings.wireProtocol = authentication.wireProtocol
            settings.authFile = options.authFile.map { String($0.prefix(Int(KMC_AUTH_FILE_MAX) / 4)) }
        }
        return try control.create(
            name: name, settings: settings, listeners: sockets.map(\.request),
            attached: isAttached, pid: isAttached ? UInt32(getpid()) : nil, auth: access.table)
    }

    private func stay(_ life: AttachedLife, _ user: User?, _ daemon: Daemon?) throws(Failure) -> Int32 {
        if let user { try Privileges.drop(to: user, as: program) }
        let pidFile = options.pidFile.map(PidFile.init)
        pidFile?.write(as: program)
        // As memcached: only the background process removes its file.
        defer { if daemon != nil { pidFile?.remove(as: program) } }
        try daemon?.serves(quiet: !isVerbose)
        switch try life.run() {
        case .normally: return ExitStatus.success
        case .told(let sentence):
            Console.complain(sentence, as: program)
            return ExitStatus.success
        case .failed(let sentence): throw Failure(sentence, status: ExitStatus.failure)
        }
    }

    private func announce(_ instance: Instance) {
        let places = Self.enumerated(instance.listeners.map { printable($0.description) })
        let end = isAttached ? "" : "; \"umemcached stop \(instance.name)\" ends it"
        Console.out("\(program): \(instance.name) serves on \(places)\(end)\n")
    }

    /// `a, b and c`
    static func enumerated(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// As memcached: `-u` counts for root only.
    private func userToBecome() throws(Failure) -> User? {
        guard let name = options.user, getuid() == 0 || geteuid() == 0 else { return nil }
        return try User(named: name)
    }

    /// Which instance of this namespace listens on a port.
    private static func owner(of port: UInt16, _ control: Control) -> String? {
        (try? control.list())?.first { $0.endpoints.contains { $0.port == port } }?.name
    }
}
