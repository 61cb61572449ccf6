import Batches
import ContrastiveLoss
import Parallelism
import TokenDistribution

/// Memory for rows of one type that many threads fill at the same time. One thread writes each row.
///
/// It is Sendable because rows do not overlap. The creator keeps the memory alive while it is used.
@safe
struct RowMemory: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer?
    private let type: ResultType

    /// Memory for a view that is not wanted. No row is ever written to it.
    static let none = unsafe RowMemory(UnsafeMutableRawBufferPointer(start: nil, count: 0), as: .float32)

    /// - Parameter memory: rows of this type, with its alignment.
    init(_ memory: UnsafeMutableRawBufferPointer, as type: ResultType) {
        unsafe start = memory.baseAddress
        self.type = type
    }

    /// Returns row `index`, which has `width` elements, or no elements for a view that is not wanted.
    func row(_ index: Int, width: Int) -> RowOutput {
        guard let start = unsafe start else { return .none }
        let size = width * type.size
        return unsafe RowOutput(
            UnsafeMutableRawBufferPointer(start: start + index * size, count: size), as: type)
    }
}

extension LogitGradients {
    /// The number of elements in one view's gradients, [S,V].
    var countPerView: Int { rows.count * vocabulary }

    /// Returns the bytes that rows take in addition to the results while they are added up, on all threads together.
    func scratchBytes(as type: ResultType, of wanted: Set<View>) -> Int {
        if type == .float32 { return 0 }
        let rowsAtOnce = min(rows.count, ThreadUrgency.coreCount)
        return rowsAtOnce * vocabulary * summedViews.count(where: wanted.contains) * MemoryLayout<Float>.size
    }

    /// Fills the rows of every view, over all cores. A view without memory is not computed.
    /// - Parameter isWanted: called now and then; false ends the work.
    /// - Returns: the reason that some rows are not filled; nil if all are.
    /// - Complexity: O(S·V)
    func fill(_ memory: PerView<RowMemory>, while isWanted: @Sendable () -> Bool) -> UnfilledRows? {
        let areFinite = mapInParallel(
            rows.count, operations: rows.count * vocabulary * 10, while: isWanted
        ) { index in
            fill(index, PerView { memory[$0].row(index, width: vocabulary) })
        }
        guard let areFinite else { return .unwanted }
        return areFinite.firstIndex(of: false).map { .unfit(token: rows[$0]) }
    }

    /// Returns the gradients as bytes: [S,V] for each wanted view, nothing for the others.
    func bytes(
        of wanted: Set<View>, as type: ResultType, while isWanted: @Sendable () -> Bool
    ) throws(UnfilledRows) -> PerView<[UInt8]> {
        func uninitialized(_ view: View) -> [UInt8] {
            // Every byte is written below.
            unsafe uninitializedList(wanted.contains(view) ? countPerView * type.size : 0)
        }
        var (a, p, n) = (uninitialized(.original), uninitialized(.preserving), uninitialized(.removing))
        let failure = unsafe a.withUnsafeMutableBytes { a in
            unsafe p.withUnsafeMutableBytes { p in
                unsafe n.withUnsafeMutableBytes { n in
                    func memory(_ bytes: UnsafeMutableRawBufferPointer) -> RowMemory {
                        unsafe bytes.isEmpty ? .none : RowMemory(bytes, as: type)
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

/// The reason that gradients were not filled.
enum UnfilledRows: Error {
    /// The row of this token, and of none before it, has a number that is too large for its type.
    case unfit(token: Int)
    /// The client no longer waits for them.
    case unwanted
}
