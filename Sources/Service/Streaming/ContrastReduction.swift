import ContrastiveLoss
import Tensor
import TokenDistribution

/// Contrasts the rows of each token of interleaved logits as the bytes arrive. It holds at most the rows of one
/// token.
struct ContrastReduction: Sendable {
    private let contrast: VocabularyContrast
    private let slices: [IntakePlan.Slice]
    private let elementType: ElementType
    private let rowBytes: Int
    /// The size of all rows of a token.
    let tokenBytes: Int

    /// The bytes of a token that are held before memory for all of it is allocated.
    private static let eager = 4 << 20

    private(set) var result = ReducedLogits(divergences: [])
    /// The start of a token whose end is still to come.
    private var fragment: [UInt8] = []
    /// The number of bytes of the current token that were skipped.
    private var skipped = 0

    /// - Parameter slices: the needs of each of the rows that one token has.
    init(_ entry: SafetensorsLayout.Entry, _ contrast: VocabularyContrast, slices: [IntakePlan.Slice]) {
        self.contrast = contrast
        self.slices = slices
        elementType = entry.elementType
        rowBytes = (entry.shape.last ?? 0) * entry.elementType.size
        tokenBytes = rowBytes * slices.count
    }

    var heldBytes: Int { result.heldBytes + fragment.capacity }

    /// Returns the bytes that one token's rows take while they are held and contrasted, in Double.
    static func workingBytes(_ entry: SafetensorsLayout.Entry) -> Int {
        (entry.shape.last ?? 0) * View.allCases.count * (entry.elementType.size + MemoryLayout<Double>.size)
    }

    /// Reads the tensor's next bytes.
    ///
    /// - Parameters:
    ///   - ids: [N] realised tokens, if their logits are needed.
    ///   - mask: [N], if it is known. Tokens where it is 0 are skipped.
    ///   - judge: called for each row that was read of a token, as the token ends.
    mutating func read(
        _ piece: RawSpan, ids: [Int]?, mask: [UInt8]?,
        judge: (_ token: Int, _ slice: Int, RowStatistics.Outcome, _ tokenLogit: Double)
            throws(Problem) -> Void
    ) throws(Problem) {
        var start = 0
        while start < piece.byteCount {
            let token = result.outcomes.count / slices.count
            let isSkipped = mask?[token] == 0
            let missing = tokenBytes - (isSkipped ? skipped : fragment.count)
            let count = min(piece.byteCount - start, missing)
            let rows = piece.extracting(start..<start + count)
            start += count
            if isSkipped {
                skipped += count
                if count == missing { skip() }
            } else if count == tokenBytes {
                add(rows, token: ids?[token])
            } else {
                // Memory for all of a large token is allocated once its beginning has arrived. Growing by doubling
                // would take twice its size.
                if fragment.count + count > max(fragment.capacity, Self.eager) {
                    fragment.reserveCapacity(tokenBytes)
                }
                unsafe rows.withUnsafeBytes { unsafe fragment.append(contentsOf: $0) }
                if count == missing { addFragment(token: ids?[token]) }
            }
            guard count == missing, !isSkipped else { continue }
            for slice in slices.indices where slices[slice].isNeeded {
                let index = token * slices.count + slice
                try judge(token, slice, result.outcomes[index], result.tokenLogits[index])
            }
        }
    }

    private mutating func skip() {
        skipped = 0
        for _ in slices { end(.defined(.none), .nan) }
        result.divergences?.append(nil)
    }

    private mutating func addFragment(token: Int?) {
        let rows = fragment
        fragment = []
        add(unsafe rows.span.bytes, token: token)
        fragment = rows
        fragment.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ rows: RawSpan, token: Int?) {
        let reading = lend(rows, View.allCases[...], LentRows(elementType)) { contrast.read($0) }
        for view in View.allCases {
            var tokenLogit = Double.nan
            let size = elementType.size
            if slices[view.index].readsToken, let token, token >= 0, token < rowBytes / size {
                let start = view.index * rowBytes + token * size
                tokenLogit = elementType.element(rows.extracting(start..<start + size))
            }
            end(reading.outcomes[view] ?? .defined(.none), tokenLogit)
        }
        result.divergences?.append(reading.divergences)
    }

    private func lend(
        _ rows: RawSpan, _ views: ArraySlice<View>, _ lent: LentRows,
        _ body: (LentRows) -> VocabularyContrast.Reading
    ) -> VocabularyContrast.Reading {
        guard let view = views.first else { return body(lent) }
        return lent.withRow(rows.extracting(view.index * rowBytes..<(view.index + 1) * rowBytes), of: view) {
            lend(rows, views.dropFirst(), $0, body)
        }
    }

    private mutating func end(_ outcome: RowStatistics.Outcome, _ tokenLogit: Double) {
        result.outcomes.append(outcome)
        result.tokenLogits.append(tokenLogit)
    }
}
