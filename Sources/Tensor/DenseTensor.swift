/// A named-by-its-holder, row-major tensor: a shape over numbers that are not copied from where they arrived.
///
/// Invariant: the storage holds exactly `count` elements, `count` the product of `shape` (1 for a scalar shape []).
package struct DenseTensor: Sendable {
    enum Storage: Sendable {
        /// Little-endian elements of `elementType` in shared body bytes, from byte `start`, at any alignment.
        case bytes([UInt8], start: Int)
        /// The same in memory that somebody else holds.
        case lent(any ByteLender, start: Int)
        /// Numbers that were text.
        case numbers([Double])
        /// None: they have not arrived, or were folded as they did.
        case elsewhere
    }

    package let elementType: ElementType
    package let shape: [Int]
    package let count: Int
    let storage: Storage

    /// Numbers parsed from text, as F64. `values.count` must be the product of `shape`.
    package init(_ values: [Double], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *))
        self.elementType = .float64
        self.shape = shape
        self.count = values.count
        self.storage = .numbers(values)
    }

    /// A view of body bytes; the caller has checked that they hold `shape`.
    init(viewing bytes: [UInt8], start: Int, elementType: ElementType, shape: [Int], count: Int) {
        self.elementType = elementType
        self.shape = shape
        self.count = count
        self.storage = .bytes(bytes, start: start)
    }

    /// One tensor of a file, as a view of the bytes that hold its data from `start`.
    package init(_ entry: SafetensorsLayout.Entry, viewing bytes: [UInt8], start: Int) {
        precondition(start + entry.data.count <= bytes.count, "\(entry.name): bytes are missing")
        self.init(
            viewing: bytes, start: start, elementType: entry.elementType, shape: entry.shape,
            count: entry.count)
    }

    /// One tensor of a file whose data lie from `start` in bytes that are lent: a mapped file.
    package init(_ entry: SafetensorsLayout.Entry, in lender: any ByteLender, start: Int) {
        precondition(start + entry.data.count <= lender.count, "\(entry.name): bytes are missing")
        elementType = entry.elementType
        shape = entry.shape
        count = entry.count
        storage = .lent(lender, start: start)
    }

    /// One tensor of a file without its data: type and shape can be asked for, elements not.
    package init(outlineOf entry: SafetensorsLayout.Entry) {
        elementType = entry.elementType
        shape = entry.shape
        count = entry.count
        storage = .elsewhere
    }

    /// All elements, widened exactly to Double.
    /// - Complexity: O(count)
    package func doubles() -> [Double] { doubles(0..<count) }

    package func doubles(_ range: Range<Int>) -> [Double] {
        if case .numbers(let values) = storage, range == 0..<count { return values }
        if range.isEmpty { return [] }
        return unsafe [Double](unsafeUninitializedCapacity: range.count) { output, filled in
            var span = unsafe output.mutableSpan
            widen(range, into: &span)
            filled = range.count
        }
    }
}

extension DenseTensor {
    /// Whether type and shape are all there is.
    package var isOutline: Bool {
        if case .elsewhere = storage { true } else { false }
    }

    /// Whether the elements were text, whose numbers have no element type of their own.
    package var isNumbers: Bool {
        if case .numbers = storage { true } else { false }
    }
}
