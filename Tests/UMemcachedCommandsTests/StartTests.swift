// SPDX-License-Identifier: MIT

import Glibc
import KMCControl
import KMCControlMock
import Testing

@testable import UMemcachedCommands

/// The start of a server from its options to its end, with real sockets and signals and a scripted module.
struct StartTests {
    private let kernel = ScriptedKernel()
    private let scratch: Scratch
    private var path: String { scratch.path + "/s" }

    init() throws { scratch = try Scratch() }

    private func start(_ words: String..., isMemcached: Bool = false) throws -> Start {
        var start = Start(options: try serverOptions("-s", path), program: "umemcached", isMemcached: isMemcached)
        if !words.isEmpty {
            start = Start(
                options: try serverOptions(words: words), program: "umemcached", isMemcached: isMemcached)
        }
        start.portFile = nil
        let kernel = kernel
        start.connect = { () throws(ControlError) in kernel.connect() }
        return start
    }

    private func fails(_ start: Start) -> Failure? {
        failure { () throws(Failure) in try start.run() }
    }

    /// Attributes of the last KMC_CMD_NEW by type, with nests as bytes.
    private func sent() -> [UInt16: [UInt8]] {
        var attributes: [UInt16: [UInt8]] = [:]
        var rest = kernel.lastNew[...]
        while rest.count >= 4 {
            let bytes = Array(rest)
            let length = Int(bytes[0]) | Int(bytes[1]) << 8
            attributes[(UInt16(bytes[2]) | UInt16(bytes[3]) << 8) & 0x3fff] = Array(bytes[4..<length])
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return attributes
    }

    @Test func aDetachedStartLeavesTheServer() throws {
        #expect(try start().run() == 0)
        #expect(kernel.instances == [1])
        #expect(kernel.commands == [1])
        #expect(sent()[2] == zero("unix-s"))
        #expect(sent()[3] == nil)
        #expect(sent()[4] == nil)
        #expect(UnixPath(path) != nil)
    }

    @Test func theDescriptorIsClosedOnceTheModuleHasIt() throws {
        nonisolated(unsafe) var descriptor: Int32 = -1
        nonisolated(unsafe) var during = stat()
        let kernel = kernel
        kernel.duringNew = {
            // KMC_A_LISTENER: struct nlattr and KMC_L_FD come last.
            descriptor = Int32(kernel.lastNew[kernel.lastNew.count - 4])
            fstat(descriptor, &during)
        }
        #expect(try start().run() == 0)
        #expect(during.st_mode & S_IFMT == S_IFSOCK)
        var after = stat()
        #expect(fstat(descriptor, &after) == -1 || after.st_ino != during.st_ino)
    }

    @Test func aRefusalLeavesNoPathBehind() throws {
        kernel.refusals = [EBUSY]
        #expect(fails(try start()) == Failure("refused by the test", status: 71))
        #expect(UnixPath(path) == nil)
    }

    @Test func aTakenPresetNameIsLeftOut() throws {
        kernel.refusals = [EEXIST]
        #expect(try start().run() == 0)
        #expect(kernel.commands == [1, 1])
        #expect(sent()[2] == nil)
    }

    @Test func aTakenGivenNameIsAFailure() throws {
        kernel.refusals = [EEXIST]
        let refusal = fails(try start("-s", path, "--name", "mine"))
        #expect(refusal?.status == 71)
        #expect(refusal?.sentence.contains("umemcached stop mine") == true)
        #expect(kernel.commands == [1])
    }

    @Test func wrongOptionsReachNoModule() throws {
        #expect(fails(try start("-p", "0"))?.status == 64)
        #expect(kernel.commands == [])
    }

    @Test func aUserThatIsNotThereReachesNoModule() throws {
        guard geteuid() == 0 else { return }
        #expect(fails(try start("-s", path, "-u", "no-such-user-here"))?.status == 67)
        #expect(kernel.commands == [])
    }

    @Test func thePathIsGivenToTheUser() throws {
        guard geteuid() == 0, let nobody = getpwnam("nobody") else { return }
        let id = nobody.pointee.pw_uid
        #expect(try start("-s", path, "-u", "nobody").run() == 0)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_uid == id)
    }

    @Test func whatListenSaysIsCutToTheContract() throws {
        let many = (1...40).map { "127.0.0.\($0)" }.joined(separator: ",")
        #expect(try start("-p", "-1", "-l", many).run() == 0)
        let settings = try #require(sent()[5])
        // KMC_S_INTER comes last: struct nlattr, 255 bytes and a zero.
        #expect(settings.suffix(256) == Array(many.utf8.prefix(255)) + [0])
    }

    // MARK: attached

    @Test func anAttachedStartSaysSoAndGivesItsPid() throws {
        let kernel = kernel
        kernel.duringNew = { raise(SIGTERM) }
        #expect(try start("--foreground", "-s", path).run() == 0)
        #expect(sent()[3] == little(UInt32(1)))
        #expect(sent()[4] == little(UInt32(getpid())))
    }

    /// A signal that comes while the server is made ends it as soon as it is there.
    @Test(arguments: [SIGINT, SIGTERM, SIGUSR1])
    func aSignalDuringTheStartIsNotLost(signal: Int32) throws {
        kernel.duringNew = { raise(signal) }
        #expect(try start("--foreground", "-s", path).run() == 0)
        #expect(kernel.commands == [7, 1, 2])
        #expect(kernel.instances == [])
        #expect(UnixPath(path) == nil)
    }

    @Test func underMemcachedsNameItIsAttached() throws {
        kernel.duringNew = { raise(SIGTERM) }
        #expect(try start(isMemcached: true).run() == 0)
        #expect(kernel.commands == [7, 1, 2])
    }

    /// Events that come before the reply to the start are not lost either.
    @Test(arguments: [(3, nil), (4, nil), (1, nil), (5, 1), (0, 1), (2, 1)] as [(UInt32, Int32?)])
    func theReasonOfAStopDecidesTheStatus(reason: UInt32, failing: Int32?) throws {
        let kernel = kernel
        kernel.duringNew = { kernel.stop(1, reason: reason) }
        let start = try start("--foreground", "-s", path)
        if let failing {
            #expect(fails(start)?.status == failing)
        } else {
            #expect(try start.run() == 0)
        }
        #expect(kernel.commands == [7, 1])
        #expect(UnixPath(path) == nil)
    }

    @Test func anotherInstancesStopEndsNothing() throws {
        let kernel = kernel
        kernel.duringNew = {
            kernel.stop(77, reason: 5)
            raise(SIGTERM)
        }
        #expect(try start("--foreground", "-s", path).run() == 0)
        #expect(kernel.commands == [7, 1, 2])
    }

    @Test func whenEventsAreLostTheModuleIsAsked() throws {
        let kernel = kernel
        kernel.duringNew = {
            kernel.loseEvents()
            raise(SIGTERM)
        }
        #expect(try start("--foreground", "-s", path).run() == 0)
        #expect(kernel.commands == [7, 1, 3, 2])
    }
}

struct PortFileStartTests {
    private func run(_ kernel: ScriptedKernel, file: String) throws -> Int32 {
        var start = Start(
            options: try serverOptions("-l", "127.0.0.1", "-p", "-1"), program: "umemcached", isMemcached: false)
        start.portFile = file
        start.connect = { () throws(ControlError) in kernel.connect() }
        return try start.run()
    }

    @Test func thePortIsWritten() throws {
        let scratch = try Scratch()
        #expect(try run(ScriptedKernel(), file: scratch.path + "/ports") == 0)
        #expect(try text(ofFile: scratch.path + "/ports", from: "/").hasPrefix("TCP INET: "))
    }

    @Test func aPortThatCannotBeToldIsNotServed() throws {
        let scratch = try Scratch()
        let kernel = ScriptedKernel()
        #expect(throws: Failure.self) { try run(kernel, file: scratch.path + "/no/ports") }
        #expect(kernel.commands == [1, 2])
    }
}
