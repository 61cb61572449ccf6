extension DenseTensor {
    /// Lends elements `range` (row-major, flat) as they lie in memory: little-endian elements of `elementType`, at any
    /// alignment. Nothing is copied.
    package func withBytes<Result>(of range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let size = elementType.size
        switch storage {
        case .numbers(let values):
            return body(
                unsafe values.span.bytes.extracting(range.lowerBound * size..<range.upperBound * size))
        case .bytes(let bytes, let start):
            return body(
                unsafe bytes.span.bytes.extracting(
                    start + range.lowerBound * size..<start + range.upperBound * size))
        case .elsewhere: preconditionFailure("an outline has no elements")
        }
    }
}
