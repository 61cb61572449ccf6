import ContrastiveLoss
import Tensor

/// One tensor of the contract: its name, its elements, and its extent.
struct TensorSpec: Sendable, Equatable {
    /// The things that have one element each: B sequences of N tokens in all, or of T each, and V logits.
    enum Extent: Sendable {
        /// [B,T], or [N] packed.
        case token
        /// [B,T,V] or [N,V].
        case vocabulary
        /// [B,T,3,V] or [N,3,V]: the rows of each token under the views, in their order.
        case views
        /// [B,T,K] or [N,K]; in a rollout, K may differ from token to token.
        case ranked
        /// [B].
        case sequence
        /// [B], [B,T] or [N].
        case sequenceOrToken
        /// [B + 1].
        case offset

        /// The number of dimensions of a padded tensor; nil if it has none of tokens.
        var paddedRank: Int? {
            switch self {
            case .token: 2
            case .vocabulary, .ranked: 3
            case .views: 4
            case .sequence, .sequenceOrToken, .offset: nil
            }
        }

        /// A Boolean value indicating whether rows can be reduced as they arrive.
        var isReducible: Bool {
            switch self {
            case .vocabulary, .views: true
            case .token, .ranked, .sequence, .sequenceOrToken, .offset: false
            }
        }

        /// The dimensions after those of the tokens, in words.
        var rest: [String] {
            switch self {
            case .vocabulary: ["V"]
            case .ranked: ["K"]
            case .views: ["\(View.allCases.count)", "V"]
            case .token, .sequence, .sequenceOrToken, .offset: []
            }
        }
    }

    enum Elements: Sendable {
        case floats
        case integers
        /// 0 and 1; true and false in JSON.
        case mask
        /// Integers; in JSON also strings.
        case names

        var words: String {
            switch self {
            case .floats: "F32, F16, BF16 or F64"
            case .integers, .names: "integers"
            case .mask: "BOOL or an integer type"
            }
        }

        /// Returns whether a tensor has an accepted element type. Numbers of a JSON text have no type of their own.
        func accepts(_ tensor: DenseTensor) -> Bool {
            switch self {
            case .floats: tensor.elementType.isFloat
            case .integers, .mask, .names: tensor.isNumbers || !tensor.elementType.isFloat
            }
        }
    }

    /// The meaning of the numbers, which determines the numbers that cannot be right.
    enum Domain: Sendable {
        case any
        /// At least 0, except for rounding.
        case entropy
        /// At most 0, except for rounding.
        case logProbability
    }

    let name: String
    let extent: Extent
    let elements: Elements
    var domain = Domain.any
    /// The name in a JSON rollout object; nil if it has no place there.
    var rolloutName: String?
    /// A Boolean value indicating whether it has a place in a columnar JSON body.
    var isInJSON = true
    /// A Boolean value indicating whether sequences without views lack these values, so that their elements are never
    /// read. This holds for values under the perturbed views, and for values that only choose perception tokens.
    var needsViews = false

    init(
        _ name: String, _ extent: Extent, _ elements: Elements, domain: Domain = .any,
        rolloutName: String? = nil
    ) {
        self.name = name
        self.extent = extent
        self.elements = elements
        self.domain = domain
        self.rolloutName = rolloutName ?? name
    }

    private func outsideRollouts() -> TensorSpec {
        var spec = self
        spec.rolloutName = nil
        return spec
    }

    fileprivate func onlyOfSequencesWithViews(_ condition: Bool = true) -> TensorSpec {
        var spec = self
        spec.needsViews = condition
        return spec
    }

    private func onlyInSafetensors() -> TensorSpec {
        var spec = outsideRollouts()
        spec.isInJSON = false
        return spec
    }
}

extension TensorSpec {
    static func logProbabilities(_ view: View) -> TensorSpec { logProbabilitiesOfViews[view] }
    static func entropy(_ view: View) -> TensorSpec { entropyOfViews[view] }
    static func logits(_ view: View) -> TensorSpec { logitsOfViews[view] }
    static let logits = TensorSpec("logits", .vocabulary, .floats)
    /// The log-probabilities of each token's likeliest tokens.
    static func best(_ view: View) -> TensorSpec { bestOfViews[view] }
    static let best = TensorSpec("top_log_probs", .ranked, .floats)
    /// The logits of all views. The rows of each token are adjacent, in the order of the views.
    static let interleavedLogits = TensorSpec("logits", .views, .floats).onlyInSafetensors()
    static let oldLogProbabilities = TensorSpec(
        "old.log_probs", .token, .floats, domain: .logProbability)
    static let referenceLogProbabilities = TensorSpec(
        "reference.log_probs", .token, .floats, domain: .logProbability)
    static let perceptionMask = TensorSpec("perception_mask", .token, .mask).onlyOfSequencesWithViews()
    /// 0 for sequences without views: text alone.
    static let hasViews = TensorSpec("has_views", .sequence, .mask)
    static let tokenIDs = TensorSpec("token_ids", .token, .integers)
    static let responseMask = TensorSpec("response_mask", .token, .mask)
    static let advantages = TensorSpec("advantages", .sequenceOrToken, .floats)
    static let rewards = TensorSpec("rewards", .sequence, .floats, rolloutName: "reward")
    static let groupIDs = TensorSpec("group_ids", .sequence, .names, rolloutName: "group_id")
    static let offsets = TensorSpec("cu_seqlens", .offset, .integers).outsideRollouts()

    // Created once, because every request asks for them many times.
    private static let logProbabilitiesOfViews = PerView {
        TensorSpec("\($0.rawValue).log_probs", .token, .floats, domain: .logProbability)
            .onlyOfSequencesWithViews($0 != .original)
    }
    private static let entropyOfViews = PerView {
        TensorSpec("\($0.rawValue).entropy", .token, .floats, domain: .entropy).onlyOfSequencesWithViews()
    }
    private static let logitsOfViews = PerView {
        TensorSpec("\($0.rawValue).logits", .vocabulary, .floats).onlyOfSequencesWithViews($0 != .original)
    }
    private static let bestOfViews = PerView {
        TensorSpec("\($0.rawValue).top_log_probs", .ranked, .floats).onlyOfSequencesWithViews()
    }
}
