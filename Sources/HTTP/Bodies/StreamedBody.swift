/// A body that the library reads while it sends it, on the connection's I/O thread.
protocol StreamedBody: Sendable {
    /// The size of the library's reads, which takes that much of the connection's memory.
    var blockBytes: Int { get }

    /// Copies available bytes into `buffer`. Suspends the connection if there are none.
    func next(into buffer: UnsafeMutableRawBufferPointer) -> StreamPortion

    /// Nobody will read any more.
    func cancel()
}

/// What there is to send.
enum StreamPortion {
    case bytes(Int)
    /// Nothing yet; what comes next wakes the connection.
    case nothingYet
    case end
    /// The rest can't be made, or nobody wants it.
    case broken
}
