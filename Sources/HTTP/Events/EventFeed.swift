import Locking

/// A feed of events for viewers, as `text/event-stream` (WHATWG HTML, section 9.2). It keeps the latest events, so a
/// client that reconnects continues where it stopped.
///
/// A viewer is a position in the list of kept events. It costs no thread, and no memory for events that it has not
/// read. A viewer that falls behind the kept events receives a notice and continues with the oldest one.
package final class EventFeed: Sendable {
    private struct State {
        /// The kept events in the form in which they are sent. The first has the number `first`.
        var kept: [[UInt8]] = []
        var first = 1
        var keptBytes = 0
        /// The number of viewers, including streams that are not being sent yet.
        var seats = 0
        var watching: [ObjectIdentifier: EventStream] = [:]
        var lastWaking: Moment?

        /// The number of the next event.
        var next: Int { first + kept.count }
    }

    private let seats: Int
    private let keptBytes: Int
    /// Distinguishes the numbers of this feed from those of the feed before a restart.
    private let epoch: String
    private let state = Monitor(State())

    /// The shortest time between two wake-ups of the viewers by `publish`. The reaper wakes viewers that are left.
    private static let leastPause: Duration = .milliseconds(100)

    /// - Parameters:
    ///   - viewers: the largest number of viewers at one time.
    ///   - keptBytes: the size of the events to keep, so that viewers can resume.
    ///   - epoch: letters and digits that differ after each restart.
    package init(viewers: Int, keptBytes: Int, epoch: String) {
        seats = viewers
        self.keptBytes = keptBytes
        self.epoch = epoch
    }

    /// The number of viewers.
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

    /// Adds a viewer that continues after the event with this identifier, or at the end.
    /// - Returns: nil if there are as many viewers as allowed.
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

    /// Returns the event with this number, and the number of the next one.
    ///
    /// - Returns: nil if the event has not been published.
    func event(_ number: Int) -> (text: [UInt8], next: Int)? {
        state.withLock { state in
            if number >= state.next { return nil }
            if number < state.first { return (lostText(before: state.first), state.first) }
            return (state.kept[number - state.first], number + 1)
        }
    }

    func hasEvent(_ number: Int) -> Bool { state.withLock { number < $0.next } }

    /// The notice to a viewer that has missed events and continues with this one.
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
