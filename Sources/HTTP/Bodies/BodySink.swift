/// The receiver of one request's body, piece by piece as it arrives.
///
/// A sink is confined to one I/O thread, on which ``Route/open`` creates it and on which it is fed and finished. It
/// needs no locks. The `Sendable` closure of ``Outcome/work(_:)`` carries what a heavy computation needs. `receive`
/// delays the thread's other connections for as long as it takes: it may copy or fold bytes, but must not do more.
///
/// A request that ends early (abandoned, refused, timed out) releases its sink without another call.
package protocol BodySink: AnyObject {
    /// The memory that this body takes of the budget. Read before the first byte; see ``MemoryClaim/held(_:)``.
    var memory: MemoryClaim { get }

    /// The longest body that it accepts; nil leaves that to the route. Read before the first byte.
    var maxBodyBytes: Int? { get }

    /// Takes the next piece of the body, never empty; the bytes are valid during the call only.
    ///
    /// - Returns: nil to continue, or an answer, after which neither `receive` nor `finish` is called again.
    func receive(_ bytes: RawSpan) -> Response?

    /// Handles the end of the body. Called once, even for a request without a body.
    /// - Parameter scope: the means by which the work, here or on another thread, claims memory and checks whether it
    ///   is still wanted.
    func finish(_ scope: RequestScope) -> Outcome
}

extension BodySink {
    package var memory: MemoryClaim { .wholeBody }
    package var maxBodyBytes: Int? { nil }
}

/// The memory that a sink needs of the budget.
package enum MemoryClaim: Sendable, Equatable {
    /// As much as the body has bytes, as it grows.
    case wholeBody
    /// This many bytes, however long the body is.
    case fixed(Int)
    /// What the sink holds now, read again after every piece, for sinks that keep only a part of the body. The server
    /// claims ahead of it, so that the next pieces are covered before they are kept.
    case held(Int)
}

/// How a complete request is answered. Work should claim its memory, and stop when the client has left; see
/// ``RequestScope``.
package enum Outcome: Sendable {
    /// Small work, done already.
    case reply(Response)
    /// Heavy work, for a worker thread while the connection is suspended. It runs at most once. It does not run if
    /// the queue is full (the client gets 503) or the client leaves before its turn.
    case work(@Sendable () -> Response)
    /// Work that may take long, for threads of its own that yield to all others. No amount of it keeps other work
    /// from threads and cores.
    ///
    /// `expected` is its approximate duration on one core, which determines the order; see ``WorkerPool``.
    case longWork(@Sendable () -> Response, expected: Duration = .zero)
    /// Work with a cost that is known only after the request has been read. Threads of its own read it and do short
    /// work; they never take long work.
    case weighedWork(@Sendable () -> Weighed)
}

/// The result of reading a request whose cost was unknown.
package enum Weighed: Sendable {
    /// The work was short and is done.
    case response(Response)
    /// See ``Outcome/longWork(_:expected:)``.
    case longWork(@Sendable () -> Response, expected: Duration)
}
