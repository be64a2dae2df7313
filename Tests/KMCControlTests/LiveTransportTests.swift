// SPDX-License-Identifier: MIT

import Glibc
import Testing

@testable import KMCControl

/// The machine's own generic netlink, without our module.
struct LiveTransportTests {
    @Test func thereIsNoSuchFamily() throws {
        let transport = try LibNLTransport()
        #expect(throws: ControlError.moduleNotLoaded) { try transport.resolve(family: "kmc-not-there") }
    }

    @Test func theDescriptorIsCloseOnExec() throws {
        let transport = try LibNLTransport()
        #expect(fcntl(transport.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func theDescriptorIsClosedWithItsOwner() throws {
        var transport: LibNLTransport? = try LibNLTransport()
        let descriptor = try #require(transport?.descriptor)
        var before = stat()
        fstat(descriptor, &before)
        transport = nil
        // Another test may have the number by now, but not the socket.
        var after = stat()
        #expect(fstat(descriptor, &after) == -1 || after.st_ino != before.st_ino)
    }

    /// The controller of generic netlink has a command 3 with a string as attribute 2, as KMC_CMD_GET has: enough to
    /// see a real refusal with a real sentence, and a reply that is none of ours.
    @Test func aRealRefusalHasASentence() throws {
        let control = try Control(over: ControllerTransport())
        do {
            _ = try control.get(.name(String(repeating: "x", count: 40)))
            Issue.record("a name of 40 bytes was taken")
        } catch .refused(let code, let sentence) {
            #expect(code == ERANGE || code == EINVAL)
            #expect(sentence?.isEmpty == false)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func aRealReplyIsReadToItsVerdict() throws {
        let control = try Control(over: ControllerTransport())
        // Twice: the verdict of the first must not be left on the socket for the second.
        for _ in 1...2 {
            do {
                _ = try control.get(.name("nlctrl"))
                Issue.record("a family was taken for an instance")
            } catch .badReply {
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}

/// Says that the controller's family is ours.
private final class ControllerTransport: NetlinkTransport {
    private let real: LibNLTransport

    init() throws { real = try LibNLTransport() }

    var port: UInt32 { real.port }
    var descriptor: Int32 { real.descriptor }

    func resolve(family: String) throws(ControlError) -> UInt16 { try real.resolve(family: "nlctrl") }
    func send(_ message: [UInt8]) throws(ControlError) { try real.send(message) }
    func receive() throws(ControlError) -> [UInt8] { try real.receive() }
}
