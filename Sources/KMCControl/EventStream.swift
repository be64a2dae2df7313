// SPDX-License-Identifier: MIT

/// The module's events, over a socket of their own, so that replies and events never queue behind each other.
public final class EventStream {
    private let control: Control

    /// Subscribes: nothing that happens after this returns is missed.
    public init(over transport: any NetlinkTransport) throws(ControlError) {
        control = try Control(over: transport)
        try control.subscribe()
    }

    public convenience init() throws(ControlError) {
        try self.init(over: try LibNLTransport())
    }

    /// Readable when ``next()`` will not wait.
    public var descriptor: Int32 { control.descriptor }

    /// The events of the next datagram.
    ///
    /// - Throws: ``ControlError/eventsLost``: ask for the state of what you watch, then go on.
    public func next() throws(ControlError) -> [Event] {
        try control.receiveEvents()
    }
}
