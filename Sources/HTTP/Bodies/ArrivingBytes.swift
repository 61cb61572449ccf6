import Glibc

/// Bytes that are collected as they arrive, of which it is known how many there will be, or not.
///
/// Memory is reserved for all of them only after the first `eager` bytes have really arrived: a claim of gigabytes with
/// nothing behind it costs nothing.
///
/// - Complexity: O(bytes), each is copied once, the first `eager` at most twice; of unknown number amortised O(bytes).
package struct ArrivingBytes: ~Copyable {
    /// Reserved on the strength of an announcement alone.
    static let eager = 4 << 20

    private var bytes: [UInt8] = []
    private let expected: Int?

    /// - Parameter expected: how many will come at most, if that is known.
    package init(expecting expected: Int?) {
        self.expected = expected
        if let expected { bytes.reserveCapacity(min(expected, Self.eager)) }
    }

    package var count: Int { bytes.count }

    /// What has arrived. Let go of it before more does, or all of it is copied.
    package var soFar: [UInt8] { bytes }

    package mutating func append(_ piece: RawSpan) {
        if let expected, bytes.count + piece.byteCount > bytes.capacity {
            bytes.reserveCapacity(max(expected, bytes.count + piece.byteCount))
            askForHugePages()
        }
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// All that arrived, not shared, so that whoever takes them may change them in place and frees them when done.
    package mutating func take() -> [UInt8] {
        let whole = bytes
        bytes = []
        return whole
    }

    /// A large body is touched for the first time as it arrives. In pages of 4 KiB that costs about as much as
    /// receiving it; where the kernel leaves huge pages to those who ask (`madvise` mode), this asks.
    private mutating func askForHugePages() {
        let size = bytes.capacity
        unsafe bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            let page = 1 << 21
            let first = unsafe UnsafeMutableRawPointer(
                bitPattern: (UInt(bitPattern: start) + UInt(page) - 1) & ~UInt(page - 1))
            guard let first = unsafe first else { return }
            let length = unsafe size - (first - start)
            if length >= page { unsafe madvise(first, length, MADV_HUGEPAGE) }
        }
    }
}
