import Tensor
import TokenDistribution

/// Folds rows of logits into their statistics as the bytes arrive, in pieces of any size.
///
/// It folds whole blocks in place and holds at most one incomplete block of 8 KiB. Blocks begin at the same elements
/// for any division into pieces, so the result does not depend on the pieces, down to the last bit.
struct LogitReduction: Sendable {
    private let elementType: ElementType
    let rowBytes: Int
    private let blockBytes: Int
    private let temperature: Double
    private let slices: [IntakePlan.Slice]

    private(set) var result = ReducedLogits()
    private var statistics: RowStatistics
    private var tokenLogit = Double.nan
    /// Bytes of the current row that have arrived, and those of them that are folded.
    private var arrived = 0
    private var folded = 0
    /// The start of a block whose end is still to come.
    private var fragment: [UInt8] = []

    /// - Parameter slices: the needs of each of the rows that one token has.
    init(_ entry: SafetensorsLayout.Entry, temperature: Double, slices: [IntakePlan.Slice]) {
        self.slices = slices
        elementType = entry.elementType
        rowBytes = (entry.shape.last ?? 0) * entry.elementType.size
        blockBytes = RowStatistics.blockLength * entry.elementType.size
        self.temperature = temperature
        statistics = RowStatistics(temperature: temperature)
        fragment.reserveCapacity(min(rowBytes, blockBytes))
    }

    var heldBytes: Int { result.heldBytes + fragment.capacity }

    /// Folds the tensor's next bytes.
    ///
    /// - Parameters:
    ///   - ids: [N] realised tokens, if their logits are needed.
    ///   - masks: [N] for each slice, if it is known. Rows where it is 0 are skipped.
    ///   - judge: called for each row that was folded, as it ends, with its token and slice.
    /// - Complexity: O(bytes)
    mutating func fold(
        _ piece: RawSpan, ids: [Int]?, masks: [[UInt8]?],
        judge: (_ token: Int, _ slice: Int, RowStatistics.Outcome, _ tokenLogit: Double)
            throws(Problem) -> Void
    ) throws(Problem) {
        var start = 0
        while start < piece.byteCount {
            let (token, slice) = result.outcomes.count.quotientAndRemainder(dividingBy: slices.count)
            let rest = piece.byteCount - start
            let missing = rowBytes - arrived
            if !slices[slice].isNeeded || masks[slice]?[token] == 0 {
                let count = min(rest, missing)
                arrived += count
                start += count
                if arrived == rowBytes { end(.defined(.none)) }
                continue
            }
            let id = slices[slice].readsToken ? ids?[token] : nil
            let count: Int
            if fragment.isEmpty, rest >= min(missing, blockBytes) {
                count = rest >= missing ? missing : rest / blockBytes * blockBytes
                add(piece.extracting(start..<start + count), token: id)
            } else {
                let whole = min(blockBytes, rowBytes - folded)
                count = min(rest, whole - fragment.count)
                unsafe piece.extracting(start..<start + count).withUnsafeBytes {
                    unsafe fragment.append(contentsOf: $0)
                }
                if fragment.count == whole {
                    let block = fragment
                    fragment = []
                    add(unsafe block.span.bytes, token: id)
                    fragment = block
                    fragment.removeAll(keepingCapacity: true)
                }
            }
            arrived += count
            start += count
            if arrived == rowBytes {
                let outcome = statistics.outcome
                let tokenLogit = tokenLogit
                end(outcome)
                try judge(token, slice, outcome, tokenLogit)
            }
        }
    }

    private mutating func add(_ bytes: RawSpan, token: Int?) {
        statistics.add(bytes, as: elementType)
        let size = elementType.size
        if let token, token >= folded / size, token < (folded + bytes.byteCount) / size {
            let start = token * size - folded
            tokenLogit = elementType.element(bytes.extracting(start..<start + size))
        }
        folded += bytes.byteCount
    }

    private mutating func end(_ outcome: RowStatistics.Outcome) {
        result.outcomes.append(outcome)
        result.tokenLogits.append(tokenLogit)
        statistics = RowStatistics(temperature: temperature)
        tokenLogit = .nan
        arrived = 0
        folded = 0
    }
}

extension ElementType {
    /// Returns one element of this type, widened.
    func element(_ bytes: RawSpan) -> Double {
        var value = [0.0]
        var span = value.mutableSpan
        widen(bytes, into: &span)
        return value[0]
    }
}
