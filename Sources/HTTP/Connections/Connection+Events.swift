import Glibc
import Locking

/// Begins a reply that ends only with the connection. No time limit and no minimum rate apply to it.
extension Connection {
    /// - Returns: false if the reaper or a drain has already ended the request.
    func eventsBegin(_ stream: EventStream, now: Moment) -> Bool {
        state.withLock { state in
            if state.phase.isOver { return false }
            state.phase = .watching(stream, bytes: 0, since: now)
            state.deadline = nil
            state.share = nil
            stream.begin(on: self)
            return true
        }
    }

    /// As ``streamContinues(now:_:)``.
    func eventsContinue(now: Moment, _ read: () -> StreamPortion) -> StreamPortion {
        state.withLock { state in
            let (stream, bytes): (EventStream, Int)
            switch state.phase {
            case .watching(let watched, let sent, _), .watchPaused(let watched, let sent, _):
                (stream, bytes) = (watched, sent)
            default: return .broken
            }
            let portion = read()
            switch portion {
            case .bytes(let count):
                state.phase = .watching(stream, bytes: bytes + count, since: now)
            case .nothingYet:
                state.phase = .watchPaused(stream, bytes: bytes, since: now)
                daemonConnection.suspend()
            case .end:
                state.phase = .replying(bytes: bytes, since: now)
            case .broken:
                shutdown(socket, Int32(SHUT_RDWR))
            }
            return portion
        }
    }

    /// Wakes the connection, because there is an event.
    func wakeForEvents() {
        state.withLock { wake(&$0) }
    }

    /// Ends the stream like a reply, because the server accepts no more work.
    func finishEvents() {
        state.withLock { state in
            switch state.phase {
            case .watching(let stream, _, _), .watchPaused(let stream, _, _):
                stream.finish()
                wake(&state)
            default: break
            }
        }
    }

    /// Wakes viewers that have new events, sends a comment line to idle ones, and ends those that do not read.
    ///
    /// - Parameter isDraining: whether the server drains. Then viewers have only a second to read.
    func tendEvents(now: Moment, limits: TimeLimits, isDraining: Bool) {
        state.withLock { state in
            switch state.phase {
            case .watching(_, _, let since):
                // The viewer has read nothing of what was sent.
                if now - since > (isDraining ? .seconds(1) : limits.idle) { cut(&state, .timeout) }
            case .watchPaused(let stream, _, let since):
                if !isPeerThere {
                    cut(&state, .clientGone)
                    daemonConnection.resume()
                } else if stream.hasMore {
                    wake(&state)
                } else if now - since > limits.pulse {
                    stream.pulse()
                    wake(&state)
                }
            default: break
            }
        }
    }

    private func wake(_ state: inout State) {
        guard case .watchPaused(let stream, let bytes, _) = state.phase else { return }
        state.phase = .watching(stream, bytes: bytes, since: .now)
        daemonConnection.resume()
    }
}
