/// The configuration of a server. The defaults suit a machine that also runs a training job.
package struct ServerConfiguration: Sendable {
    package var address: SocketAddress = .tcp(host: "127.0.0.1", port: 8080)
    /// The `Server` header field; nil sends none.
    package var serverName: String? = nil
    /// The TLS identity. With one, the server speaks only HTTPS; without one, only HTTP.
    package var tls: TLSIdentity? = nil

    /// The number of threads that move bytes and answer small requests.
    package var ioThreads = max(2, min(8, WorkerPool.coreCount / 2))
    /// The number of threads that compute. There are as many again for short work on pictures, and for work that may
    /// take long.
    package var workerThreads = WorkerPool.coreCount
    /// The number of jobs of either kind that may wait for a thread. Further ones get 503.
    package var workQueueLimit = 1024
    /// The value of `Retry-After` while the server is busy or drains.
    package var retryAfter: Duration = .seconds(1)

    /// The longest body for routes without a limit of their own.
    package var maxBodyBytes = 1 << 30
    /// The memory for all requests in flight together. It is claimed before it is allocated (see ``BodySink/memory``
    /// and ``RequestScope/claim(_:)``).
    package var memoryBudgetBytes = 4 << 30
    /// The memory that the answers of slow readers may hold together: a quarter of the budget. Beyond it the slowest
    /// readers are disconnected.
    package var slowReaderBytes: Int { memoryBudgetBytes / 4 }
    /// The largest number of connections. Further ones get 503 and are closed.
    package var maxConnections = 10_000
    /// libmicrohttpd's memory for one connection. It bounds the head and, halved, the pieces of a body. Above 256 KiB
    /// small requests get slower.
    package var connectionMemoryBytes = 128 << 10
    /// The largest size of all header fields of a request together. Larger ones get 431.
    package var maxHeaderBytes = 32 << 10
    /// The largest size of the request target as sent. Longer ones get 414.
    package var maxTargetBytes = 16 << 10

    /// The longest time from accepting a connection, or from the first line of a later request, to the end of the head.
    package var headerTimeout: Duration = .seconds(20)
    /// The longest time that a connection may be idle between requests. Clients keep theirs for 15 s or more and fail
    /// if the server closes first, so this should be at least a minute.
    package var idleTimeout: Duration = .seconds(75)
    /// A body must be complete within this time plus one second for each ``minimumBytesPerSecond`` received. The same
    /// limit applies to a client that does not read its answer.
    package var bodyDeadline: Duration = .seconds(30)
    package var minimumBytesPerSecond = 64 << 10
    /// The longest time from the complete head to the last byte of the answer. A client may ask for less with
    /// `X-Request-Timeout`.
    package var requestTimeout: Duration = .seconds(3600)
    /// The number of bytes of an unwanted body to read before the refusal. Reading the whole body keeps the connection.
    package var discardBytes = 4 << 20
    /// The number of bytes to discard after the answer if the client sends more than that. They must arrive as fast as
    /// a wanted body; then the client is disconnected.
    package var lingerBytes = 1 << 30
    /// The time without an event after which viewers are sent a comment line. It shows proxies that the connection is
    /// in use, and the system whether the client still exists.
    package var eventPulse: Duration = .seconds(15)
    /// The time in which requests in flight may finish when the server drains.
    package var drainGrace: Duration = .seconds(30)

    package init() {}
}
