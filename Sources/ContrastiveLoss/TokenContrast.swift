package import Batches
internal import CTokenLoss
import Parallelism
package import TokenDistribution

/// The Swift interface to the C code that contrasts the views of each token, many tokens at a time.
///
/// Every number is a Double, except that gradients are narrowed as they are computed. The bits do not depend on the
/// processor, the number of tokens, or their division into pieces.
package struct TokenContrast: Sendable {
    /// The results for every token of a batch, flat over N. Lists that are not wanted are empty.
    package struct Lists: Sendable, Equatable {
        /// Σ weight · D; 0 outside the response.
        package var contrast: [Double] = []
        package var isClamped: [Bool] = []
        /// 0 outside the response.
        package var loss: [Double] = []
        /// ∂c/∂(log-probability) · weight inside the mask, plus the addends inside the response; nil for views whose
        /// gradients are not wanted.
        package var gradients = PerView<FloatList?>(repeating: nil)
        /// `loss` as floats; nil if it is not wanted.
        package var narrowLoss: FloatList?
        /// [B]
        package var sums: [SequenceSums] = []
    }

    /// The results that are wanted in addition to the sums.
    package struct Wishes: Sendable {
        package var contrast = true
        package var isClamped = true
        package var loss = true
        /// The loss as floats.
        package var narrowLoss = false
        /// The views whose gradients are computed.
        package var gradients: Set<View> = []
        /// [N]: the addends of a view's gradients; nil for none.
        package var addends = PerView<[Double]?>(repeating: nil)

        package init(
            contrast: Bool = true, isClamped: Bool? = nil, loss: Bool = true, narrowLoss: Bool = false,
            gradients: Set<View> = [], addends: PerView<[Double]?> = PerView(repeating: nil)
        ) {
            self.contrast = contrast
            self.isClamped = isClamped ?? loss
            self.loss = loss
            self.narrowLoss = narrowLoss
            self.gradients = gradients
            self.addends = addends
        }
    }

    private let options: token_loss_options
    private let width: token_loss_width

    /// The number of tokens that one thread processes at a time.
    private static let piece = 4096

    package init(
        terms: [Term], estimator: Estimator, clamps: Clamps, shape: TokenShape,
        instructionSet: InstructionSet = .inUse
    ) {
        let kernel =
            switch estimator {
            case .k1: token_loss_k1
            case .abs: token_loss_abs
            case .k2: token_loss_k2
            case .k3: token_loss_k3
            case .symmetric: token_loss_symmetric
            case .fullKL, .jsd, .jeffreys: preconditionFailure("\(estimator) needs the whole vocabulary")
            }
        var options = token_loss_options()
        options.estimator = kernel
        options.input_limit = clamps.input ?? .infinity
        options.result_limit = clamps.result ?? .infinity
        options.tau = shape.form == .infonce ? shape.tau : 0
        precondition(terms.count <= Term.limit)
        options.term_count = UInt32(terms.count)
        unsafe withUnsafeMutableBytes(of: &options.terms) { bytes in
            let kernelTerms = unsafe bytes.bindMemory(to: token_loss_term.self)
            for (index, term) in terms.enumerated() {
                unsafe kernelTerms[index] = token_loss_term(
                    anchor: UInt32(term.pair.anchor.index), reference: UInt32(term.pair.reference.index),
                    weight: term.weight)
            }
        }
        self.options = options
        width =
            switch instructionSet {
            case .avx512: token_loss_512
            case .avx2: token_loss_256
            case .neon, .portable: token_loss_baseline
            }
    }

    /// - Parameters:
    ///   - logProbabilities: [N] for each view that a term names. Values outside the response are ignored.
    ///   - responseMask, mask: [N] of 0 and 1.
    ///   - weights: [B], the weight of a token's loss in the gradients, by sequence.
    /// - Complexity: O(N · terms)
    package func lists(
        _ logProbabilities: PerView<TokenNumbers?>, responseMask: [UInt8], mask: [UInt8],
        sequences: Sequences,
        weights: [Double], wishes: Wishes = Wishes()
    ) -> Lists {
        let count = sequences.tokens
        precondition(responseMask.count == count && mask.count == count && weights.count == sequences.count)
        for view in View.allCases {
            precondition((logProbabilities[view]?.count ?? count) == count)
            precondition((wishes.addends[view]?.count ?? count) == count)
        }
        // The pieces fill every element.
        var lists = Lists(
            contrast: wishes.contrast ? unsafe uninitializedList(count) : [],
            isClamped: wishes.isClamped ? unsafe uninitializedList(count) : [],
            loss: wishes.loss ? unsafe uninitializedList(count) : [],
            gradients: PerView {
                wishes.gradients.contains($0) ? unsafe FloatList(count: count) { _ in } : nil
            },
            narrowLoss: wishes.narrowLoss ? unsafe FloatList(count: count) { _ in } : nil)
        let pieces = sequences.pieces(ofAtMost: TokenContrast.piece)
        var sums = [token_loss_sums](repeating: token_loss_sums(), count: pieces.count)
        unsafe withInputs(logProbabilities, wishes.addends, responseMask, mask) { inputs in
            unsafe withOutputs(&lists, inputs) { whole in
                unsafe sums.withUnsafeMutableBufferPointer { sums in
                    // Pieces are disjoint.
                    nonisolated(unsafe) let whole = unsafe whole
                    nonisolated(unsafe) let sums = sums.baseAddress
                    performInParallel(pieces.count, operations: 10 * count) { index in
                        let (sequence, tokens) = pieces[index]
                        var part = unsafe whole.advanced(by: tokens.lowerBound)
                        unsafe part.count = tokens.count
                        unsafe part.weight = weights[sequence]
                        unsafe part.sums = sums.map { unsafe $0 + index }
                        var options = options
                        unsafe token_loss(width, &options, &part)
                    }
                }
            }
        }
        lists.sums = [SequenceSums](repeating: SequenceSums(), count: sequences.count)
        for ((sequence, _), sums) in zip(pieces, sums) { lists.sums[sequence].add(sums) }
        if sums.allSatisfy(\.are_finite) {
            lists.narrowLoss?.markFinite()
            for view in View.allCases { lists.gradients[view]?.markFinite() }
        }
        return lists
    }
}
