import Locking

/// Events for whoever watches, as `text/event-stream` (WHATWG HTML, section 9.2). The last are kept, so that a client that
/// lost its connection goes on where it was.
///
/// A viewer is a place in the list of kept events: it costs no thread, and no memory for events that it has not taken. One
/// that falls behind what is kept is told so and goes on with the oldest that is.
package final class EventFeed: Sendable {
    private struct State {
        /// In the form in which they are sent. The first has the number `first`.
        var kept: [[UInt8]] = []
        var first = 1
        var keptBytes = 0
        /// Seats that are taken, some of them by streams that are not being sent yet.
        var seats = 0
        var watching: [ObjectIdentifier: EventStream] = [:]
        var lastWaking: Moment?

        /// The number of the event to come.
        var next: Int { first + kept.count }
    }

    private let seats: Int
    private let keptBytes: Int
    /// Tells numbers of this feed from those of one before it.
    private let epoch: String
    private let state = Monitor(State())

    /// Viewers are woken no more often than that for what is published; the reaper sees to the rest.
    private static let leastPause: Duration = .milliseconds(100)

    /// - Parameters:
    ///   - viewers: how many there may be at once.
    ///   - keptBytes: of the last events, so that viewers can resume.
    ///   - epoch: letters and digits that are others after a restart.
    package init(viewers: Int, keptBytes: Int, epoch: String) {
        seats = viewers
        self.keptBytes = keptBytes
        self.epoch = epoch
    }

    /// How many watch.
    package var viewers: Int { state.withLock { $0.seats } }

    /// - Parameter data: one line of text.
    /// - Complexity: O(data + viewers)
    package func publish(_ name: String, data: [UInt8]) {
        let woken = state.withLock { state in
            var event = Array("id: \(epoch)-\(state.next)\nevent: \(name)\ndata: ".utf8)
            event += data
            event += [0x0A, 0x0A]
            state.kept.append(event)
            state.keptBytes += event.count
            while state.keptBytes > keptBytes, let oldest = state.kept.first {
                state.keptBytes -= oldest.count
                state.kept.removeFirst()
                state.first += 1
            }
            let now = Moment.now
            if let last = state.lastWaking, now - last < Self.leastPause { return [EventStream]() }
            state.lastWaking = now
            return Array(state.watching.values)
        }
        for stream in woken { stream.connection?.wakeForEvents() }
    }

    /// A place behind the event of this identifier, or at the end.
    /// - Returns: nil when every seat is taken.
    package func open(after identifier: String?) -> EventStream? {
        let place = state.withLock { state -> (next: Int, hasLost: Bool)? in
            guard state.seats < seats else { return nil }
            state.seats += 1
            guard let identifier else { return (state.next, false) }
            guard let number = number(identifier), number >= state.first - 1, number < state.next else {
                return (state.next, true)
            }
            return (number + 1, false)
        }
        return place.map { EventStream(of: self, next: $0.next, hasLost: $0.hasLost) }
    }

    private func number(_ identifier: String) -> Int? {
        guard identifier.hasPrefix(epoch + "-") else { return nil }
        return Int(identifier.dropFirst(epoch.count + 1))
    }

    /// The event of this number, and that of the next.
    ///
    /// - Returns: nil when it is still to come.
    func event(_ number: Int) -> (text: [UInt8], next: Int)? {
        state.withLock { state in
            if number >= state.next { return nil }
            if number < state.first { return (lostText(before: state.first), state.first) }
            return (state.kept[number - state.first], number + 1)
        }
    }

    func hasEvent(_ number: Int) -> Bool { state.withLock { number < $0.next } }

    /// What a viewer is told that has missed events and goes on with this one.
    func lostText(before number: Int) -> [UInt8] {
        Array("id: \(epoch)-\(number - 1)\nevent: lost\ndata: {}\n\n".utf8)
    }

    func begin(_ stream: EventStream) {
        state.withLock { $0.watching[ObjectIdentifier(stream)] = stream }
    }

    func end(_ stream: EventStream) {
        state.withLock { $0.watching[ObjectIdentifier(stream)] = nil }
    }

    func leaveSeat() {
        state.withLock { $0.seats -= 1 }
    }
}
