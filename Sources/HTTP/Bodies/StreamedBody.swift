/// A body that the library asks for while it sends it, on the connection's I/O thread.
protocol StreamedBody: Sendable {
    /// How much the library asks for at a time; the memory for it is the connection's.
    var blockBytes: Int { get }

    /// Copies what is there into `buffer`; suspends the connection when that is nothing.
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
