import ContrastiveLoss
import Parallelism
import TokenDistribution

/// Memory for rows of F32 that many threads fill at the same time, each row by one of them.
///
/// Sendable because rows don't overlap; whoever makes it keeps the memory alive while it is used.
@safe
struct RowMemory: @unchecked Sendable {
    private let start: UnsafeMutablePointer<Float>?

    /// Memory that no row is ever written to: a view that isn't wanted.
    static let none = unsafe RowMemory(start: nil)

    /// - Parameter memory: rows of floats, aligned to 4 bytes.
    init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.init(start: memory.baseAddress?.assumingMemoryBound(to: Float.self))
    }

    private init(start: UnsafeMutablePointer<Float>?) { unsafe self.start = unsafe start }

    /// Row `index` of `width`, or no elements for a view that isn't wanted.
    func row(_ index: Int, width: Int) -> UnsafeMutableBufferPointer<Float> {
        guard let start = unsafe start else { return unsafe UnsafeMutableBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableBufferPointer(start: start + index * width, count: width)
    }
}

extension LogitGradients {
    /// Bytes of one view's gradients, [S,V] of F32.
    var bytesPerView: Int { rows.count * vocabulary * MemoryLayout<Float>.size }

    /// Fills every view's rows over all cores; a view with no memory is not computed.
    /// - Parameter isWanted: asked now and then; false ends the work.
    /// - Returns: why they are not all filled, if they are not.
    /// - Complexity: O(S·V)
    func fill(_ memory: PerView<RowMemory>, while isWanted: @Sendable () -> Bool) -> UnfilledRows? {
        let areFinite = mapInParallel(
            rows.count, operations: rows.count * vocabulary * 10, while: isWanted
        ) { index in
            fill(index, PerView { unsafe RowOutput(memory[$0].row(index, width: vocabulary)) })
        }
        guard let areFinite else { return .unwanted }
        return areFinite.firstIndex(of: false).map { .unfit(token: rows[$0]) }
    }

    /// Fills lists of bytes: for each wanted view its [S,V], for the others nothing.
    func bytes(
        of wanted: Set<View>, while isWanted: @Sendable () -> Bool
    ) throws(UnfilledRows) -> PerView<[UInt8]> {
        func uninitialized(_ view: View) -> [UInt8] {
            let count = wanted.contains(view) ? bytesPerView : 0
            if count == 0 { return [] }
            // Every byte is written below.
            return unsafe [UInt8](unsafeUninitializedCapacity: count) { $1 = count }
        }
        var (a, p, n) = (uninitialized(.original), uninitialized(.preserving), uninitialized(.removing))
        let failure = unsafe a.withUnsafeMutableBytes { a in
            unsafe p.withUnsafeMutableBytes { p in
                unsafe n.withUnsafeMutableBytes { n in
                    func memory(_ bytes: UnsafeMutableRawBufferPointer) -> RowMemory {
                        unsafe bytes.isEmpty ? .none : RowMemory(bytes)
                    }
                    return fill(
                        PerView(
                            original: unsafe memory(a), preserving: unsafe memory(p),
                            removing: unsafe memory(n)), while: isWanted)
                }
            }
        }
        if let failure { throw failure }
        return PerView(original: a, preserving: p, removing: n)
    }
}

/// Why gradients were not filled.
enum UnfilledRows: Error {
    /// The first token whose row has a number that no 32-bit float holds.
    case unfit(token: Int)
    /// Nobody waits for them any more.
    case unwanted
}
