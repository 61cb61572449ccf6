/// Limits and places of a server. The defaults suit a machine beside a training job.
package struct ServerConfiguration: Sendable {
    package var address: SocketAddress = .tcp(host: "127.0.0.1", port: 8080)
    /// The `Server` header field; nil sends none.
    package var serverName: String? = nil
    /// With one the server speaks HTTPS only, without one HTTP only.
    package var tls: TLSIdentity? = nil

    /// Threads that only move bytes and answer small requests.
    package var ioThreads = max(2, min(8, WorkerPool.coreCount / 2))
    /// Threads that compute; as many for short work on pictures, and as many for work that may take long.
    package var workerThreads = WorkerPool.coreCount
    /// Jobs of either kind that may wait for a thread; more are answered with 503.
    package var workQueueLimit = 1024
    /// What `Retry-After` says when busy or draining.
    package var retryAfter: Duration = .seconds(1)

    /// The longest body where a route sets no limit of its own.
    package var maxBodyBytes = 1 << 30
    /// For all requests in flight together; claimed before it is spent (see ``BodySink/memory`` and
    /// ``RequestScope/claim(_:)``).
    package var memoryBudgetBytes = 4 << 30
    /// What the answers of slow readers may hold together: a quarter of the budget. Beyond it the slowest are cut off.
    package var slowReaderBytes: Int { memoryBudgetBytes / 4 }
    /// Connections above this are answered with 503 and closed.
    package var maxConnections = 10_000
    /// libmicrohttpd's memory for one connection: bounds the head and, halved, the pieces of a body.
    /// Above 256 KiB small requests get slower.
    package var connectionMemoryBytes = 128 << 10
    /// All header fields of a request together; more are refused with 431.
    package var maxHeaderBytes = 32 << 10
    /// The request target as sent; longer ones are refused with 414.
    package var maxTargetBytes = 16 << 10

    /// From accepting a connection, or from a later request's first line, to the end of the head.
    package var headerTimeout: Duration = .seconds(20)
    /// How long a kept-alive connection may rest between requests. Clients keep theirs 15 s and more and fail
    /// when the server closes first, so a minute at least.
    package var idleTimeout: Duration = .seconds(75)
    /// A body must be complete after this and one second per ``minimumBytesPerSecond`` received. The same
    /// bounds a client that does not read its answer.
    package var bodyDeadline: Duration = .seconds(30)
    package var minimumBytesPerSecond = 64 << 10
    /// From the complete head to the last byte of the answer; a client may ask for less with `X-Request-Timeout`.
    package var requestTimeout: Duration = .seconds(3600)
    /// How much of an unwanted body is still read before the refusal, which keeps the connection.
    package var discardBytes = 4 << 20
    /// The same after the answer, for a client that is still sending more than that: so many bytes are thrown away
    /// unread, no slower than a wanted body may come, before it is cut off.
    package var lingerBytes = 1 << 30
    /// After so long without an event its viewers are sent a line that means nothing: proxies see that the connection is
    /// in use, and the system whether anybody is there.
    package var eventPulse: Duration = .seconds(15)
    /// How long requests in flight may take to finish when the server drains.
    package var drainGrace: Duration = .seconds(30)

    package init() {}
}
