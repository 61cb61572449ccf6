internal import CNumberLists

/// Floats as a reply sends them: a list of numbers whose memory goes to the socket as it is.
package struct FloatList: Sendable, Equatable {
    /// Little-endian, as every supported machine is.
    package private(set) var bytes: [UInt8]
    /// Whether all are known to be finite, so that nobody needs to look again.
    private var isFinite = false

    /// - Parameter fill: writes every number; it is not called for an empty list.
    @unsafe
    package init(count: Int, _ fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
        if count == 0 {
            bytes = []
            return
        }
        let size = count * MemoryLayout<Float>.stride
        bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { bytes, filled in
            // An array's elements begin at a multiple of 16.
            unsafe fill(UnsafeMutableRawBufferPointer(bytes).bindMemory(to: Float.self))
            filled = size
        }
    }

    package init(zeros count: Int) {
        bytes = [UInt8](repeating: 0, count: count * MemoryLayout<Float>.stride)
    }

    package init(_ floats: some Collection<Float>) {
        unsafe self.init(count: floats.count) { room in _ = unsafe room.initialize(fromContentsOf: floats) }
    }

    package static func == (one: FloatList, other: FloatList) -> Bool { one.elementsEqual(other) }

    /// - Complexity: O(1)
    package func withFloats<Result>(_ body: (Span<Float>) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { body(unsafe $0.assumingMemoryBound(to: Float.self).span) }
    }

    /// Lends the floats to be written. Nil for no elements: all empty lists share one address, which must not be
    /// written to.
    /// - Complexity: O(1), or O(count) if another copy of the list exists.
    @unsafe
    package mutating func withMutableFloats<Result>(
        _ body: (UnsafeMutablePointer<Float>?) -> Result
    ) -> Result {
        isFinite = false
        if bytes.isEmpty { return body(nil) }
        return unsafe bytes.withUnsafeMutableBytes {
            unsafe body($0.assumingMemoryBound(to: Float.self).baseAddress)
        }
    }

    /// Says that all numbers are finite, as whoever made them has seen.
    package mutating func markFinite() { isFinite = true }

    /// - Complexity: O(count), in whole vectors as long as all are finite; O(1) where that is known.
    package var firstNonFinite: Int? {
        if isFinite { return nil }
        let areFinite = withFloats { floats in
            unsafe floats.withUnsafeBufferPointer { unsafe number_lists_are_finite($0.baseAddress, $0.count) }
        }
        return areFinite ? nil : firstIndex { !$0.isFinite }
    }
}

extension FloatList {
    /// The nearest floats, and the first that is an infinity or no number.
    /// - Complexity: O(count)
    package static func narrowing(_ values: [Double]) -> (list: FloatList, firstNonFinite: Int?) {
        var areFinite = true
        let list = unsafe FloatList(count: values.count) { floats in
            unsafe values.withUnsafeBufferPointer { values in
                areFinite = unsafe number_lists_narrow(values.baseAddress, values.count, floats.baseAddress)
            }
        }
        return (list, areFinite ? nil : list.firstIndex { !$0.isFinite })
    }
}

extension FloatList? {
    /// Lends the floats to be written, as C code takes an optional list: nil for an absent list, as for an empty one.
    /// - Complexity: as of `FloatList.withMutableFloats`.
    @unsafe
    package mutating func withMutableFloats(_ body: (UnsafeMutablePointer<Float>?) -> Void) {
        guard self != nil else { return body(nil) }
        unsafe self?.withMutableFloats(body)
    }
}

extension FloatList: RandomAccessCollection, ExpressibleByArrayLiteral {
    package var startIndex: Int { 0 }
    package var endIndex: Int { bytes.count / MemoryLayout<Float>.stride }

    package subscript(index: Int) -> Float { withFloats { $0[index] } }

    package init(arrayLiteral floats: Float...) { self.init(floats) }
}
