// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// The life of a tool that stays with its server: it ends the server, or is told that the server ended.
struct AttachedLife {
    /// How it ended.
    enum Ending: Equatable {
        /// By a signal, or by a client that was allowed to.
        case normally
        /// By somebody else's command, without fault.
        case told(String)
        /// Unexpectedly.
        case failed(String)
    }

    /// For what is printed.
    var program = "umemcached"
    let control: Control
    let events: EventStream
    let signals: Signals
    let id: UInt32
    var manager = ServiceManager()
    /// What SIGHUP renews.
    var reloads: [Reload] = []
    /// Says what happens, where that was asked for.
    var say: (String) -> Void = { _ in }

    /// Waits for the end.
    func run() throws(Failure) -> Ending {
        manager.isReady()
        while true {
            var waits = [
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else {
                throw Failure("poll failed: \(describe(errno: errno))", status: ExitStatus.system)
            }
            if waits[1].revents != 0, let ending = try endingFromEvents() { return ending }
            if let ending = try endingFromSignals() { return ending }
        }
    }

    private func endingFromSignals() throws(Failure) -> Ending? {
        while let order = signals.next() {
            guard order == .reload else {
                say(order == .stop ? "ends, as a signal asks" : "ends gracefully, as a signal asks")
                return try end()
            }
            reload()
        }
        return nil
    }

    /// What cannot be renewed stays as it was.
    private func reload() {
        manager.isReloading()
        if reloads.isEmpty { say("SIGHUP: nothing was started from a file that could be read again") }
        for reload in reloads {
            do {
                try reload(control, id)
            } catch {
                Console.complain(error.sentence, as: program)
            }
        }
        manager.isReady()
    }

    /// Ends the server. That it ended by itself meanwhile is as good.
    private func end() throws(Failure) -> Ending {
        manager.isStopping()
        _ = try unlessGone { () throws(ControlError) in try control.destroy(.id(id)) }
        return .normally
    }

    private func endingFromEvents() throws(Failure) -> Ending? {
        do {
            for event in try events.next() where event.id == id {
                if let ending = Self.ending(of: event) { return ending }
            }
            return nil
        } catch .eventsLost {
            return try endingFromState()
        } catch {
            throw Failure(error)
        }
    }

    /// Asks, when events were lost.
    private func endingFromState() throws(Failure) -> Ending? {
        guard try unlessGone({ () throws(ControlError) in try control.get(.id(id)) }) == nil else { return nil }
        return .failed("the server ended, and the reason was lost: start it again if that was not intended")
    }

    /// What an event of this server means; `nil`: it goes on.
    static func ending(of event: Event) -> Ending? {
        guard case .stopped(let reason) = event.kind else { return nil }
        switch reason {
        case .client: return .normally
        case .request: return .told("the server was stopped by request (umemcached stop)")
        case .unload:
            return .failed("the server ended because the module kmemcache was removed: load it again, then start again")
        case .none, .owner, .other:
            return .failed("the server ended without a reason that is known: \"dmesg\" may tell more")
        }
    }
}
