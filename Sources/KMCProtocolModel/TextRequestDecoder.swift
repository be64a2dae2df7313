// SPDX-License-Identifier: MIT

/// The server's side of the text protocol: bytes in any split become events.
///
/// A storage command is two events, since memcached decides about it when its line has been read and long before its
/// data has: after ``Event/announced(_:length:quiet:)`` the owner calls ``collect()`` or ``swallow()``.
public struct TextRequestDecoder {
    public enum Event: Equatable, Sendable {
        /// A complete command.
        case request(Request)
        /// A storage line; its data follows.
        case announced(Command, length: Int, quiet: Bool)
        /// The data of the announced command, as part of the whole command.
        case stored(Request)
        /// The data of the announced command did not end where it was announced to.
        case badChunk(quiet: Bool)
        /// A retrieval whose later key was refused.
        case partial(Request, Failure)
        /// A key of a retrieval whose line is taken as it comes.
        case streamed(Command)
        /// The end of such a line.
        case streamEnd
        /// A line that is answered without a deed.
        case refused(Failure, quiet: Bool)
        /// A `flush_all` with a delay that is none.
        case badFlush(quiet: Bool)
        /// The connection has to end; nothing follows.
        case close
    }

    private enum State {
        case line
        /// Waiting for ``collect()`` or ``swallow()``.
        case undecided(Command, length: Int, quiet: Bool)
        case data(Command, length: Int, quiet: Bool)
        case swallowing(Int)
        case keys(TextKeyStream)
        case closed
    }

    private let parser: TextLineParser
    private let streams: Bool
    private var state = State.line
    private var queue = ByteQueue()

    public init(dialect: Dialect) {
        parser = TextLineParser(dialect: dialect)
        streams = dialect.streamsLongLines
    }

    /// Whether everything so far has been consumed: the next byte begins a command.
    public var isIdle: Bool {
        if case .line = state { return queue.isEmpty }
        return false
    }

    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if case .closed = state { return }
        queue.append(bytes)
    }

    /// The next event, or nil until more bytes arrive.
    public mutating func next() -> Event? {
        switch state {
        case .line: return nextLine()
        case .undecided, .closed: return nil
        case .data(let command, let length, let quiet): return nextData(command, length, quiet)
        case .swallowing(let length):
            let left = length - queue.drop(length)
            state = left > 0 ? .swallowing(left) : .line
            return left > 0 ? nil : nextLine()
        case .keys(let stream): return nextKey(stream)
        }
    }

    /// Takes the data of the announced command.
    public mutating func collect() {
        guard case .undecided(let command, let length, let quiet) = state else { return }
        state = .data(command, length: length, quiet: quiet)
    }

    /// Throws the data of the announced command away.
    public mutating func swallow() {
        guard case .undecided(_, let length, _) = state else { return }
        state = .swallowing(length + 2)
    }

    private mutating func nextLine() -> Event? {
        if streams, !queue.unread.prefix(Limits.unfinishedLine).contains(ASCII.lineFeed) { return beginStream() }
        let begins = queue.unread.prefix(Limits.leadingSpaces + 8)
        guard let line = queue.takeLine() else {
            return queue.count > Limits.unfinishedLine && !Self.beginsRetrieval(begins) ? close() : nil
        }
        if !streams, line.count >= Limits.readBuffer, !Self.beginsRetrieval(begins) { return close() }
        switch parser.parse(line) {
        case .request(let request): return .request(request)
        case .partial(let request, let failure): return .partial(request, failure)
        case .badFlush(let quiet): return .badFlush(quiet: quiet)
        case .close: return close()
        case .refused(let failure, let quiet, let length):
            if length > 0 { state = .swallowing(length) }
            return .refused(failure, quiet: quiet)
        case .announced(let command, let length, let quiet):
            state = .undecided(command, length: length, quiet: quiet)
            return .announced(command, length: length, quiet: quiet)
        }
    }

    private mutating func beginStream() -> Event? {
        guard queue.count >= Limits.unfinishedLine else { return nil }
        guard let (stream, length) = TextKeyStream.begin(queue.unread.prefix(Limits.unfinishedLine)) else { return close() }
        _ = queue.drop(length)
        return nextKey(stream)
    }

    private mutating func nextKey(_ present: TextKeyStream) -> Event? {
        var stream = present
        let step = stream.next(&queue)
        state = .keys(stream)
        switch step {
        case nil: return nil
        case .key(let key): return .streamed(stream.command(key))
        case .refused: return .refused(.badFormat, quiet: false)
        case .end(let any):
            state = .line
            return any ? .streamEnd : .refused(.badFormat, quiet: false)
        case .over:
            state = .line
            return nextLine()
        }
    }

    private mutating func nextData(_ command: Command, _ length: Int, _ quiet: Bool) -> Event? {
        guard let data = queue.take(length + 2) else { return nil }
        state = .line
        guard data.suffix(2).elementsEqual([ASCII.carriageReturn, ASCII.lineFeed]) else { return .badChunk(quiet: quiet) }
        return .stored(Request(command.carrying(Bytes(data.dropLast(2))), quiet: quiet))
    }

    private mutating func close() -> Event {
        state = .closed
        queue.removeAll()
        return .close
    }

    /// Whether a line may be of any length: only the keys of `get` and `gets` are unbounded.
    private static func beginsRetrieval(_ bytes: ArraySlice<UInt8>) -> Bool {
        let word = bytes.drop { $0 == ASCII.space }
        guard bytes.count - word.count <= Limits.leadingSpaces else { return false }
        return word.starts(with: "get ") || word.starts(with: "gets ")
    }
}

extension Command {
    /// The same storage command with its value.
    fileprivate func carrying(_ value: Bytes) -> Command {
        switch self {
        case .store(var store):
            store.value = value
            return .store(store)
        case .meta(var request):
            request.value = value
            return .meta(request)
        default: return self
        }
    }
}
