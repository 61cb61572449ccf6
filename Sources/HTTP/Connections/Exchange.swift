package import HTTPTypes

/// The course of one request and its answer, for metrics and access logs.
package struct Exchange: Sendable {
    /// Nil if the head never became complete.
    package let head: RequestHead?
    /// The path of the route that served the request; nil if none did.
    package let route: String?
    /// Nil if no answer was begun.
    package let status: HTTPResponse.Status?
    /// Body bytes received.
    package let bytesIn: Int
    /// Body bytes of the answer; 0 unless the kernel accepted all of it.
    package let bytesOut: Int
    package let durations: Durations
    package let ending: Ending
    /// The IP address of the other end of the socket, a proxy's if there is one, or `unix`; nil if it is unknown.
    package var client: String?
    /// Taken from the answer; empty if none was begun.
    package var notes = ResponseNotes()

    package struct Durations: Sendable {
        /// From the complete head to the complete body.
        package var receive: Duration = .zero
        /// Waiting for a worker.
        package var queue: Duration = .zero
        /// On a worker.
        package var work: Duration = .zero
        /// From the complete head to the last byte given to the kernel.
        package var total: Duration = .zero
    }

    package enum Ending: String, Sendable {
        /// The whole answer was given to the kernel.
        case completed
        /// The client closed before that, or libmicrohttpd did because the client sent a head beyond the connection's
        /// memory or a broken chunk. The library answers those requests by itself.
        case clientGone = "client-gone"
        /// The server closed because the client was too slow.
        case timeout
        /// The server closed to free memory: slow readers together held more than their limit and this one was the
        /// slowest, or a streamed reply waited too long for the memory of its next piece.
        case crowdedOut = "crowded-out"
        /// The server closed because the grace period of its drain had expired.
        case abandoned
    }
}

/// Called on I/O threads for every finished request. Implementations must be light.
package protocol ServerObserver: Sendable {
    func requestFinished(_ exchange: Exchange)
    /// Called with the HTTP library's messages about connections that violate TLS.
    func libraryReported(_ line: String)
}

extension ServerObserver {
    package func libraryReported(_ line: String) {}
}

/// The load of a server at one moment.
package struct ServerLoad: Sendable, Equatable {
    package static let idle = ServerLoad(connections: 0, inFlight: 0, queued: 0, running: 0, memoryBytes: 0)

    /// Open connections.
    package var connections: Int
    /// Requests whose head is complete and whose answer is not.
    package var inFlight: Int
    /// Jobs waiting for a worker.
    package var queued: Int
    /// Jobs on a worker.
    package var running: Int
    /// Bytes claimed from the memory budget.
    package var memoryBytes: Int
    package var slowReaders = SlowReaders()
}
