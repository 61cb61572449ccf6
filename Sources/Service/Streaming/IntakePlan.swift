import Batches
import ContrastiveLoss
import Tensor
import TokenDistribution

/// The use of each tensor of an arriving request, and what is known about its tokens so far.
///
/// The header alone determines the uses. Layout, mask and ids follow as the tensors that hold them arrive.
struct IntakePlan {
    enum Use: Sendable {
        /// Keep it whole. `advice` tells the client how to avoid that.
        case keep(advice: String)
        /// Skip its data, which are not needed. Its shape was checked.
        case skip
        /// Reduce each row to its statistics and, if needed, the logit of the realised token.
        case reduce(temperature: Double, slices: [Slice])
        /// Reduce each token's rows to their statistics and divergences and, if needed, the logit of the realised
        /// token.
        case contrast(VocabularyContrast, slices: [Slice])

        /// Whether logits of realised tokens are needed.
        var readsTokens: Bool {
            switch self {
            case .keep, .skip: false
            case .reduce(_, let slices), .contrast(_, let slices): slices.contains { $0.readsToken }
            }
        }
    }

    /// The needs of one of the rows that a token has in a tensor.
    struct Slice: Sendable {
        var isNeeded = true
        var readsToken = false
        /// A Boolean value indicating whether sequences without views lack this slice.
        var needsViews = false
    }

    /// The use of each tensor by name. A tensor without an entry is small and kept.
    var uses: [String: Use]
    let layout: TokenLayout
    /// [N]; nil while a mask is still to come, so that it is unknown which tokens count.
    let responseMask: [UInt8]?
    /// [N]: the tokens of sequences that have views; nil while it is unknown which they are.
    let viewedMask: [UInt8]?
    /// [N]; nil while they are still to come, and when there are none.
    let tokenIDs: [Int]?

    /// The tokens that count in a slice, [N]; nil while that is unknown.
    func mask(of slice: Slice) -> [UInt8]? { slice.needsViews ? viewedMask : responseMask }

    /// What the plan itself holds, in bytes.
    var heldBytes: Int {
        (responseMask?.count ?? 0) + (viewedMask?.count ?? 0) + (tokenIDs?.count ?? 0)
            * MemoryLayout<Int>.stride
            + layout.sequences.count * MemoryLayout<Int>.stride
    }
}
