// SPDX-License-Identifier: MIT

/// Datagrams to and from the kernel's generic netlink. Tests put recorded bytes in its place.
public protocol NetlinkTransport: AnyObject {
    /// Of this socket; replies carry it.
    var port: UInt32 { get }

    /// For `poll(2)`.
    var descriptor: Int32 { get }

    /// The id of a generic netlink family.
    ///
    /// - Throws: ``ControlError/moduleNotLoaded`` when there is none of that name.
    func resolve(family: String) throws(ControlError) -> UInt16

    /// Sends one message.
    func send(_ message: [UInt8]) throws(ControlError)

    /// The next datagram of the kernel's; waits for it.
    ///
    /// - Throws: ``ControlError/eventsLost`` when the kernel had to drop some.
    func receive() throws(ControlError) -> [UInt8]
}
