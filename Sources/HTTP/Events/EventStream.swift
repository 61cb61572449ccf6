import Locking

/// One viewer of a feed: the body of a reply that ends when the viewer leaves or the server drains.
///
/// Locks are taken in the order connection, stream, feed.
package final class EventStream: StreamedBody {
    private struct State {
        /// The number of the next event to send.
        var next: Int
        var text: [UInt8]
        var sent = 0
        var isOver = false
        var connection: Connection?
    }

    private let feed: EventFeed
    private let state: Monitor<State>

    /// The memory for a few events, which each viewer occupies in the library.
    let blockBytes = 16 << 10
    /// A comment line, which clients ignore.
    private static let pulseText = Array(":\n\n".utf8)

    init(of feed: EventFeed, next: Int, hasLost: Bool) {
        self.feed = feed
        // The time to wait before reconnecting, in milliseconds.
        let greeting = Array("retry: 2000\n\n".utf8)
        state = Monitor(State(next: next, text: greeting + (hasLost ? feed.lostText(before: next) : [])))
    }

    deinit { feed.leaveSeat() }

    var connection: Connection? { state.withLock { $0.connection } }

    /// Notes the connection on which the stream is about to be sent.
    func begin(on connection: Connection) {
        state.withLock { $0.connection = connection }
        feed.begin(self)
    }

    /// Returns whether there is an event to send.
    var hasMore: Bool {
        state.withLock { $0.sent < $0.text.count || $0.isOver || feed.hasEvent($0.next) }
    }

    /// Sends a comment line unless there is an event.
    func pulse() {
        state.withLock { state in
            guard state.sent == state.text.count else { return }
            state.text = Self.pulseText
            state.sent = 0
        }
    }

    /// Ends the stream after what has been sent.
    func finish() {
        state.withLock { $0.isOver = true }
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) -> StreamPortion {
        guard let connection else { return .broken }
        return connection.eventsContinue(now: .now) {
            state.withLock { state in unsafe read(from: &state, into: buffer) }
        }
    }

    func cancel() {
        feed.end(self)
        state.withLock { $0.connection = nil }
    }

    private func read(
        from state: inout State, into buffer: UnsafeMutableRawBufferPointer
    ) -> StreamPortion {
        if state.isOver { return .end }
        var copied = 0
        while copied < buffer.count {
            if state.sent == state.text.count {
                guard let (text, next) = feed.event(state.next) else { break }
                (state.text, state.next, state.sent) = (text, next, 0)
            }
            let count = min(state.text.count - state.sent, buffer.count - copied)
            unsafe state.text.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[copied...])
                    .copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: bytes[state.sent..<state.sent + count]))
            }
            copied += count
            state.sent += count
        }
        return copied > 0 ? .bytes(copied) : .nothingYet
    }
}
