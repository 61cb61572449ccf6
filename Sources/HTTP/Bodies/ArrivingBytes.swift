import Glibc

/// Collects bytes as they arrive, with or without a known total.
///
/// Reserves memory for all of them only after the first `eager` bytes have arrived, so that an announcement alone
/// costs nothing.
///
/// - Complexity: O(bytes). Each byte is copied once, the first `eager` at most twice. Amortised O(bytes) if the total
///   is unknown.
package struct ArrivingBytes: ~Copyable {
    /// The number of bytes to reserve before any have arrived.
    static let eager = 4 << 20

    private var bytes: [UInt8] = []
    private let expected: Int?

    /// - Parameter expected: the largest possible number of bytes, if known.
    package init(expecting expected: Int?) {
        self.expected = expected
        if let expected { bytes.reserveCapacity(min(expected, Self.eager)) }
    }

    package var count: Int { bytes.count }

    /// The bytes so far. Release them before more arrive, or all of them are copied.
    package var soFar: [UInt8] { bytes }

    package mutating func append(_ piece: RawSpan) {
        if let expected, bytes.count + piece.byteCount > bytes.capacity {
            bytes.reserveCapacity(max(expected, bytes.count + piece.byteCount))
            askForHugePages()
        }
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// Returns all bytes, unshared, so that the caller can change them in place and frees them.
    package mutating func take() -> [UInt8] {
        let whole = bytes
        bytes = []
        return whole
    }

    /// Asks the kernel for huge pages. The arrival of a large body touches its memory for the first time, which in
    /// pages of 4 KiB costs about as much as receiving it. In `madvise` mode the kernel gives huge pages only on
    /// request.
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
