/// Where one request's body goes, piece by piece, while it arrives.
///
/// A sink is confined: it is made by ``Route/open``, fed and finished on one I/O thread and never seen by
/// another, so it needs no locks. What a heavy computation needs travels in the `Sendable` closure of
/// ``Outcome/work(_:)``. `receive` runs on the I/O thread too and holds up that thread's other connections
/// for as long as it takes: it may copy or fold the bytes, not think about them.
///
/// A request that ends early (client gone, refused, timed out) just releases its sink.
package protocol BodySink: AnyObject {
    /// How much of the server's memory budget this body takes. Asked before the first byte; see ``MemoryClaim/held(_:)``.
    var memory: MemoryClaim { get }

    /// The longest body it takes; nil leaves that to the route. Asked before the first byte.
    var maxBodyBytes: Int? { get }

    /// Takes the next piece of the body, never empty; the bytes are valid during the call only.
    ///
    /// - Returns: nil to go on, or an answer, after which neither `receive` nor `finish` is called again.
    func receive(_ bytes: RawSpan) -> Response?

    /// The body is complete. Called once, also for a request without a body.
    /// - Parameter scope: for the work that comes now, here or on another thread.
    func finish(_ scope: RequestScope) -> Outcome
}

extension BodySink {
    package var memory: MemoryClaim { .wholeBody }
    package var maxBodyBytes: Int? { nil }
}

/// What a sink needs of the memory budget that all bodies in flight share.
package enum MemoryClaim: Sendable, Equatable {
    /// As much as the body has bytes, as it grows.
    case wholeBody
    /// This many bytes, however long the body is.
    case fixed(Int)
    /// What it holds now: asked again after every piece, for sinks that keep a part of what arrives. It is claimed with
    /// room for more, so that the next pieces are paid for before they are kept.
    case held(Int)
}

/// How a complete request is answered. Work should claim its memory and stop when nobody waits any more; see
/// ``RequestScope``.
package enum Outcome: Sendable {
    /// Small work, done already.
    case reply(Response)
    /// Heavy work, to be done on a worker thread while the connection rests. It runs at most once: never when
    /// the queue is full (the client gets 503) or the client has left before its turn.
    case work(@Sendable () -> Response)
    /// The same for work that may take long, by threads of its own that yield to all others: however much there is of
    /// it, other work finds a thread and the cores.
    ///
    /// `expected` is about how long it takes on one core, by which such work is ordered; see ``WorkerPool``.
    case longWork(@Sendable () -> Response, expected: Duration = .zero)
    /// Work whose extent is only known once the request has been read. That, and short work, is done by threads of its
    /// own, which never take long work.
    case weighedWork(@Sendable () -> Weighed)
}

/// What reading a request made of it.
package enum Weighed: Sendable {
    /// It was short, and is done.
    case response(Response)
    /// See ``Outcome/longWork(_:expected:)``.
    case longWork(@Sendable () -> Response, expected: Duration)
}
