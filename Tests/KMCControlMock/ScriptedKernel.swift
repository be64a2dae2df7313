// SPDX-License-Identifier: MIT

import Glibc
import KMCControl

/// A module that keeps instances in mind, answers as the contract says, and refuses what a test tells it to. Each of
/// its transports is a socket of its own; events go to those that subscribed.
public final class ScriptedKernel {
    /// KMC_CMD_* of the requests, in order.
    public private(set) var commands: [UInt8] = []
    /// The payload of the last KMC_CMD_NEW, behind the generic header.
    public private(set) var lastNew: [UInt8] = []
    public private(set) var instances: Set<UInt32> = []
    /// Errnos to refuse the next KMC_CMD_NEW with; 0 for none.
    public var refusals: [Int32] = []
    /// Called while KMC_CMD_NEW is under way.
    public var duringNew: () -> Void = {}
    private var subscribers: [Transport] = []

    public init() {}

    public func connect() -> any NetlinkTransport { Transport(self) }

    /// Ends an instance and tells it.
    public func stop(_ id: UInt32, reason: UInt32) {
        instances.remove(id)
        let event = reply(
            command: 6, sequence: 0, attribute(14, little(UInt32(1))), attribute(1, little(id)),
            attribute(15, little(reason)))
        for subscriber in subscribers { subscriber.queue(.success(event)) }
    }

    /// Lets the subscribers know that they were too slow.
    public func loseEvents() {
        for subscriber in subscribers { subscriber.queue(.failure(.eventsLost)) }
    }

    fileprivate func answer(_ request: [UInt8], to transport: Transport) -> [[UInt8]] {
        let sequence = UInt32(request[8]) | UInt32(request[9]) << 8
        let command = request[16]
        commands.append(command)
        switch command {
        case 1:
            lastNew = Array(request[20...])
            duringNew()
            if let code = refusals.first {
                refusals.removeFirst()
                if code != 0 { return [verdict(code, sequence: sequence, sentence: "refused by the test")] }
            }
            let id = UInt32(instances.count + 1)
            instances.insert(id)
            return [described(id, command, sequence), verdict(sequence: sequence)]
        case 2, 3:
            // struct nlmsghdr, struct genlmsghdr, struct nlattr, id
            let id = UInt32(request[24])
            guard instances.contains(id) else {
                return [verdict(ENOENT, sequence: sequence, sentence: "no such instance")]
            }
            if command == 2 { instances.remove(id) }
            return command == 2
                ? [verdict(sequence: sequence)] : [described(id, command, sequence), verdict(sequence: sequence)]
        case 4: return [reply(command: 4, sequence: sequence), verdict(sequence: sequence)]
        case 7:
            subscribers.append(transport)
            return [verdict(sequence: sequence)]
        default: return [verdict(EOPNOTSUPP, sequence: sequence)]
        }
    }

    private func described(_ id: UInt32, _ command: UInt8, _ sequence: UInt32) -> [UInt8] {
        reply(command: command, sequence: sequence, nest(7, attribute(1, little(id)), attribute(2, zero("scripted"))))
    }

    fileprivate final class Transport: NetlinkTransport {
        let port: UInt32 = MockTransport.port
        /// Readable as long as something is queued.
        let descriptor: Int32
        private let signal: Int32
        private let kernel: ScriptedKernel
        private var queued: [Result<[UInt8], ControlError>] = []

        init(_ kernel: ScriptedKernel) {
            self.kernel = kernel
            var ends: [Int32] = [-1, -1]
            precondition(pipe(&ends) == 0)
            descriptor = ends[0]
            signal = ends[1]
        }

        deinit {
            close(descriptor)
            close(signal)
        }

        func resolve(family: String) throws(ControlError) -> UInt16 { MockTransport.family }

        func send(_ message: [UInt8]) throws(ControlError) {
            for answer in kernel.answer(message, to: self) { queue(.success(answer)) }
        }

        func queue(_ datagram: Result<[UInt8], ControlError>) {
            queued.append(datagram)
            write(signal, "x", 1)
        }

        func receive() throws(ControlError) -> [UInt8] {
            guard !queued.isEmpty else { throw .system(call: "mock", reason: "nothing is queued") }
            var byte: UInt8 = 0
            read(descriptor, &byte, 1)
            return try queued.removeFirst().get()
        }
    }
}
