import Batches
import ContrastiveLoss
import Tensor
import TokenDistribution

/// What becomes of a request's tensors while their data arrive, and what is known of its rows by then.
///
/// What is done with each tensor follows from the header alone. Rows, mask and ids fill in as the tensors arrive that
/// hold them.
struct IntakePlan {
    enum Use: Sendable {
        /// Kept whole; `advice` says how to send it so that it need not be.
        case keep(advice: String)
        /// Its shape was checked, its data are not needed.
        case skip
        /// Reduced to the statistics of each row, and to the logit of the row's realised token where that is needed.
        case reduce(temperature: Double, parts: [Part])
        /// Each token's rows reduced to their statistics and divergences, and to the logit of the realised token where
        /// that is needed.
        case contrast(VocabularyContrast, parts: [Part])

        /// Whether logits of realised tokens are needed.
        var readsTokens: Bool {
            switch self {
            case .keep, .skip: false
            case .reduce(_, let parts), .contrast(_, let parts): parts.contains { $0.readsToken }
            }
        }
    }

    /// What is needed of one of the rows that a token has in a tensor.
    struct Part: Sendable {
        var isNeeded = true
        var readsToken = false
        /// Whether rows without views have none of it.
        var needsViews = false
    }

    /// By tensor; one that isn't named is small and kept.
    var uses: [String: Use]
    let layout: TokenLayout
    /// [N]; nil while a mask is still to come, so that nobody knows which rows count.
    let responseMask: [UInt8]?
    /// [N]: of rows that have views; nil while it is to come which they are.
    let viewedMask: [UInt8]?
    /// [N]; nil while they are still to come, and when there are none.
    let tokenIDs: [Int]?

    /// The tokens that are known to count in a part; nil while nobody knows.
    func mask(of part: Part) -> [UInt8]? { part.needsViews ? viewedMask : responseMask }

    /// What the plan itself holds, in bytes.
    var heldBytes: Int {
        (responseMask?.count ?? 0) + (viewedMask?.count ?? 0) + (tokenIDs?.count ?? 0)
            * MemoryLayout<Int>.stride
            + layout.rows.count * MemoryLayout<Int>.stride
    }
}
