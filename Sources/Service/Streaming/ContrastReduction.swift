import ContrastiveLoss
import Tensor
import TokenDistribution

/// Contrasts the three rows of each token of interleaved logits while the bytes arrive: at most one token's rows are held.
struct ContrastReduction: Sendable {
    private let contrast: RowContrast
    private let elementType: ElementType
    private let rowBytes: Int
    /// Of all three rows of a token.
    let tokenBytes: Int

    /// Of a token, before memory for all of it is taken.
    private static let eager = 4 << 20

    private(set) var result = ReducedLogits(divergences: [])
    /// The start of a token whose end is still to come.
    private var fragment: [UInt8] = []
    /// Bytes of the current token that were passed over.
    private var skipped = 0

    init(_ entry: SafetensorsLayout.Entry, _ contrast: RowContrast) {
        self.contrast = contrast
        elementType = entry.elementType
        rowBytes = (entry.shape.last ?? 0) * entry.elementType.size
        tokenBytes = rowBytes * View.allCases.count
    }

    var heldBytes: Int { result.heldBytes + fragment.capacity }

    /// What one token's rows take while they are held and contrasted, in Double.
    static func workingBytes(_ entry: SafetensorsLayout.Entry) -> Int {
        (entry.shape.last ?? 0) * View.allCases.count * (entry.elementType.size + MemoryLayout<Double>.size)
    }

    /// Reads the tensor's next bytes.
    ///
    /// - Parameters:
    ///   - mask: [N], when it is known: the tokens where it is 0 are passed over.
    ///   - judge: told of each row of a token that was read as the token ends.
    mutating func read(
        _ piece: RawSpan, mask: [UInt8]?,
        judge: (_ token: Int, _ part: Int, RowStatistics.Outcome) throws(Problem) -> Void
    ) throws(Problem) {
        var start = 0
        while start < piece.byteCount {
            let token = result.outcomes.count / View.allCases.count
            let isSkipped = mask?[token] == 0
            let missing = tokenBytes - (isSkipped ? skipped : fragment.count)
            let count = min(piece.byteCount - start, missing)
            let rows = piece.extracting(start..<start + count)
            start += count
            if isSkipped {
                skipped += count
                if count == missing { skip() }
            } else if count == tokenBytes {
                add(rows)
            } else {
                // A large token is given room for all of it once its beginning is there: growing with it by doubling
                // would take its size twice.
                if fragment.count + count > max(fragment.capacity, Self.eager) {
                    fragment.reserveCapacity(tokenBytes)
                }
                unsafe rows.withUnsafeBytes { unsafe fragment.append(contentsOf: $0) }
                if count == missing { addFragment() }
            }
            guard count == missing, !isSkipped else { continue }
            for view in View.allCases {
                try judge(token, view.part, result.outcomes[token * View.allCases.count + view.part])
            }
        }
    }

    private mutating func skip() {
        skipped = 0
        let none = RowStatistics.Outcome.defined(logSumExp: 0, entropy: 0)
        end([none, none, none], nil)
    }

    private mutating func addFragment() {
        let rows = fragment
        fragment = []
        add(unsafe rows.span.bytes)
        fragment = rows
        fragment.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ rows: RawSpan) {
        let original = rows.extracting(0..<rowBytes)
        let preserving = rows.extracting(rowBytes..<2 * rowBytes)
        let removing = rows.extracting(2 * rowBytes..<3 * rowBytes)
        let found = contrast.read(
            original: original, preserving: preserving, removing: removing, as: elementType)
        end([found.original, found.preserving, found.removing], found.divergences)
    }

    private mutating func end(_ outcomes: [RowStatistics.Outcome], _ divergences: ViewDivergences?) {
        result.outcomes += outcomes
        result.divergences?.append(divergences)
    }
}
