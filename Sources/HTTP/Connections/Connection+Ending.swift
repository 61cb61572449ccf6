import Glibc
import HTTPTypes
import Locking

// These functions run on the reaper's thread, or on the thread that drains.

extension Connection {
    /// Ends requests that have taken too long, and those that the client has left unnoticed. libmicrohttpd waits for
    /// changes only, and misses an end that arrives together with the last bytes.
    func reap(now: Moment, limits: TimeLimits, answer: (Refusal, RequestHead?) -> Response) {
        state.withLock { state in
            if let deadline = state.deadline, now > deadline.moment {
                let refusal = Refusal.deadlineExceeded(limit: deadline.limit)
                if end(&state, .timeout, answering: { answer(refusal, $0) }) {
                    state.deadline = nil
                    return
                }
                // There is nothing to end yet. Work or a stream that follows finds the deadline passed.
            }
            guard let limit = state.phase.limit(limits) else { return }
            if now - state.phase.start(or: now) > limit {
                var status: HTTPResponse.Status?
                switch state.phase {
                case .head:
                    status = send(answer(.headersTooSlow(limit: limits.header), nil), nil)
                case .body(let head, let received, _):
                    let refusal = Refusal.bodyTooSlow(received: received, declared: head.contentLength)
                    status = send(answer(refusal, head), head)
                default:
                    break
                }
                cut(&state, .timeout, status)
            } else if state.phase.isReading, isAtEnd {
                // The reaper has seen it twice with no change in between, so the I/O thread is not about to read it.
                if state.sawEnd { cut(&state, .clientGone) }
                state.sawEnd = true
            }
        }
    }

    /// Describes a client that reads its answer more slowly than nearly all could; nil for others.
    func slowReader(now: Moment, limits: TimeLimits) -> SlowReader? {
        state.withLock { state in
            guard let share = state.share, share.bytes > 0 else { return nil }
            let (bytes, taken): (Int, Duration)
            switch state.phase {
            case .replying(let count, let since): (bytes, taken) = (count, now - since)
            case .streaming(let count, let spent, let since): (bytes, taken) = (count, spent + (now - since))
            default: return nil
            }
            let late = taken - limits.swiftTransfer(of: bytes)
            guard late > .zero else { return nil }
            return SlowReader(connection: self, turn: state.turn, heldBytes: share.bytes, late: late)
        }
    }

    /// Ends an answer in progress to free its memory.
    func crowdOut(in turn: Int) {
        state.withLock { state in
            guard state.turn == turn else { return }
            switch state.phase {
            case .replying, .streaming: cut(&state, .crowdedOut)
            case .streamPaused:
                cut(&state, .crowdedOut)
                daemonConnection.resume()
            default: return
            }
        }
    }

    /// - Returns: the status, unless only the library can write to this client.
    private func send(_ response: Response, _ head: RequestHead?) -> HTTPResponse.Status? {
        guard canAnswerRaw else { return nil }
        _ = RawReply(response, omittingBody: head?.method == .head).send(to: socket)
        return response.status
    }

    /// Ends a request that is being served, with an answer where one can still be given.
    ///
    /// - Returns: false if there is no such request, or its answer is about to be queued.
    private func end(
        _ state: inout State, _ ending: Exchange.Ending, answering answer: (RequestHead) -> Response
    ) -> Bool {
        switch state.phase {
        case .working(let head):
            // The client has left, so the log must not say that it was answered.
            state.phase = .worked(
                WorkResult(answer: isPeerThere ? .inPlaceOfWork(answer(head)) : .clientGone))
            daemonConnection.resume()
        case .body(let head, _, _):
            cut(&state, ending, send(answer(head), head))
        case .streamPaused, .watchPaused:
            // The library finds the connection cut when it asks for more.
            cut(&state, ending)
            daemonConnection.resume()
        case .replying, .streaming, .watching:
            cut(&state, ending)
        case .resting, .head, .answering, .worked, .lingering, .cut, .closed:
            return false
        }
        return true
    }

    func cut(
        _ state: inout State, _ ending: Exchange.Ending, _ status: HTTPResponse.Status? = nil
    ) {
        state.phase = .cut(Phase.Cut(ending: ending, status: status))
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Returns whether the client has closed its half and left nothing to read.
    private var isAtEnd: Bool {
        var byte: UInt8 = 0
        return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    /// Ends the request because the grace period has expired: answers it if it waits, closes it if it stalls.
    func abandon(answering response: (RequestHead) -> Response) {
        state.withLock { state in
            if end(&state, .abandoned, answering: response) { return }
            switch state.phase {
            case .resting, .head, .answering, .lingering: cut(&state, .abandoned)
            // A stream that began now would be suspended when the library stops, and the library would abort.
            case .worked(let result) where result.beginsStream: cut(&state, .abandoned)
            default: break
            }
        }
    }
}
