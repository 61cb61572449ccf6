internal import CTokenLoss
import Parallelism
package import Perception
package import TokenDistribution

/// The door to the C code that contrasts the views of each token, many tokens at a time.
///
/// Every number is Double but the gradients, which are narrowed as they are made. The bits don't depend on the processor,
/// on how many tokens there are, nor on how they are divided.
package struct TokenContrast: Sendable {
    /// What every token of a batch yields, flat over N.
    package struct Lists: Sendable, Equatable {
        /// D(a‖p) − D(a‖n); 0 outside the response.
        package var margin: [Double]
        package var isClamped: [Bool]
        /// 0 outside the response.
        package var loss: [Double]
        /// ∂c/∂(log-probability) · weight; 0 outside the mask and for stopped views.
        package var gradient: PerView<[Float]>
    }

    private let options: token_loss_options
    private let width: token_loss_width
    private let stopped: Set<View>

    /// Tokens that one thread takes at a time.
    private static let piece = 4096

    package init(
        estimator: Estimator, clamps: Clamps, term: ContrastiveTerm, stopGradient: Set<View>,
        instructionSet: InstructionSet = .inUse
    ) {
        let kernel =
            switch estimator {
            case .k1: token_loss_k1
            case .abs: token_loss_abs
            case .k2: token_loss_k2
            case .k3: token_loss_k3
            case .fullKL, .jsd: preconditionFailure("\(estimator) is no estimate from one token")
            }
        options = token_loss_options(
            estimator: kernel, input_limit: clamps.input ?? .infinity,
            result_limit: clamps.result ?? .infinity,
            tau: term.form == .infonce ? term.tau : 0)
        width =
            switch instructionSet {
            case .avx512: token_loss_512
            case .avx2: token_loss_256
            case .portable: token_loss_baseline
            }
        stopped = stopGradient
    }

    /// - Parameters:
    ///   - logProbabilities: [N] for each view; anything outside the response.
    ///   - responseMask, mask: [N] of 0 and 1.
    ///   - weights: [B], what a token's loss weighs in the aggregate, by row.
    /// - Complexity: O(N)
    package func lists(
        _ logProbabilities: PerView<[Double]>, responseMask: [UInt8], mask: [UInt8], rows: Rows,
        weights: [Double]
    ) -> Lists {
        let count = rows.tokens
        precondition(responseMask.count == count && mask.count == count && weights.count == rows.count)
        precondition(View.allCases.allSatisfy { logProbabilities[$0].count == count })
        var lists = Lists(
            margin: room(count, zero: 0), isClamped: room(count, zero: false), loss: room(count, zero: 0),
            gradient: PerView(
                original: room(count, zero: 0, isWritten: !stopped.contains(.original)),
                preserving: room(count, zero: 0, isWritten: !stopped.contains(.preserving)),
                removing: room(count, zero: 0, isWritten: !stopped.contains(.removing))))
        let pieces = rows.pieces(ofAtMost: TokenContrast.piece)
        unsafe withInputs(logProbabilities, responseMask, mask) { inputs in
            unsafe withOutputs(&lists, inputs) { whole in
                // Pieces are disjoint.
                nonisolated(unsafe) let whole = unsafe whole
                performInParallel(pieces.count, operations: 10 * count) { index in
                    let (row, tokens) = pieces[index]
                    var part = unsafe whole.advanced(by: tokens.lowerBound)
                    unsafe part.count = tokens.count
                    unsafe part.weight = weights[row]
                    var options = options
                    unsafe token_loss(width, &options, &part)
                }
            }
        }
        return lists
    }
}

extension TokenContrast {
    /// Room for every token, all of which the pieces fill; zeros where nothing will be written.
    private func room<Number: BitwiseCopyable>(_ count: Int, zero: Number, isWritten: Bool = true) -> [Number]
    {
        // No elements have no room of their own: all empty lists share one, which must not be written to.
        guard isWritten, count > 0 else { return [Number](repeating: zero, count: count) }
        return unsafe [Number](unsafeUninitializedCapacity: count) { _, filled in filled = count }
    }

    @unsafe
    private func withInputs(
        _ logProbabilities: PerView<[Double]>, _ responseMask: [UInt8], _ mask: [UInt8],
        _ body: (token_loss_lists) -> Void
    ) {
        unsafe logProbabilities.original.withUnsafeBufferPointer { original in
            unsafe logProbabilities.preserving.withUnsafeBufferPointer { preserving in
                unsafe logProbabilities.removing.withUnsafeBufferPointer { removing in
                    unsafe responseMask.withUnsafeBufferPointer { response in
                        unsafe mask.withUnsafeBufferPointer { mask in
                            var lists = unsafe token_loss_lists()
                            unsafe lists.original = original.baseAddress
                            unsafe lists.preserving = preserving.baseAddress
                            unsafe lists.removing = removing.baseAddress
                            unsafe lists.response = response.baseAddress
                            unsafe lists.mask = mask.baseAddress
                            unsafe body(lists)
                        }
                    }
                }
            }
        }
    }

    @unsafe
    private func withOutputs(
        _ outputs: inout Lists, _ inputs: token_loss_lists, _ body: (token_loss_lists) -> Void
    ) {
        var lists = unsafe inputs
        unsafe outputs.margin.withUnsafeMutableBufferPointer { margin in
            unsafe outputs.isClamped.withUnsafeMutableBufferPointer { isClamped in
                unsafe outputs.loss.withUnsafeMutableBufferPointer { loss in
                    unsafe outputs.gradient.original.withUnsafeMutableBufferPointer { original in
                        unsafe outputs.gradient.preserving.withUnsafeMutableBufferPointer { preserving in
                            unsafe outputs.gradient.removing.withUnsafeMutableBufferPointer { removing in
                                unsafe lists.margin = margin.baseAddress
                                unsafe lists.is_clamped = isClamped.baseAddress
                                unsafe lists.loss = loss.baseAddress
                                unsafe lists.gradient_original = wanted(.original, original)
                                unsafe lists.gradient_preserving = wanted(.preserving, preserving)
                                unsafe lists.gradient_removing = wanted(.removing, removing)
                                unsafe body(lists)
                            }
                        }
                    }
                }
            }
        }
    }

    @unsafe
    private func wanted(
        _ view: View, _ list: UnsafeMutableBufferPointer<Float>
    ) -> UnsafeMutablePointer<Float>? {
        stopped.contains(view) ? nil : list.baseAddress
    }
}

extension token_loss_lists {
    /// The lists from token `count` on.
    @unsafe
    fileprivate func advanced(by count: Int) -> token_loss_lists {
        var rest = unsafe self
        unsafe rest.original += count
        unsafe rest.preserving += count
        unsafe rest.removing += count
        unsafe rest.response += count
        unsafe rest.mask += count
        unsafe rest.margin += count
        unsafe rest.is_clamped += count
        unsafe rest.loss += count
        unsafe rest.gradient_original = rest.gradient_original.map { unsafe $0 + count }
        unsafe rest.gradient_preserving = rest.gradient_preserving.map { unsafe $0 + count }
        unsafe rest.gradient_removing = rest.gradient_removing.map { unsafe $0 + count }
        return unsafe rest
    }
}
