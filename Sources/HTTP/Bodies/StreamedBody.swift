/// A body that the library reads while it sends it, on the connection's I/O thread.
protocol StreamedBody: Sendable {
    /// The size of the library's reads, which takes that much of the connection's memory.
    var blockBytes: Int { get }

    /// Copies available bytes into `buffer`. Suspends the connection if there are none.
    func next(into buffer: UnsafeMutableRawBufferPointer) -> StreamPortion

    /// Notes that the library will read no more.
    func cancel()
}

/// What a read found.
enum StreamPortion {
    case bytes(Int)
    /// Nothing yet. The next piece wakes the connection.
    case nothingYet
    case end
    /// The rest cannot be made, or is no longer wanted.
    case broken
}
