import Batches
import ContrastiveLoss
import EngineReplies
import Tensor
import TokenDistribution

/// The likeliest tokens of each token's distribution. They are enough to bound its entropy.
struct BestTokens: Sendable {
    enum Lists: Sendable {
        /// [B,T,K] or [N,K]
        case tensor(DenseTensor)
        /// List i is `values[offsets[i]..<offsets[i + 1]]`, [N + 1].
        case ragged([Double], offsets: [Int])
    }

    let lists: Lists
    /// [N]; nil if nothing is known about the realised tokens.
    var realised: [RealisedToken]?
    /// The field that errors name.
    let field: String
    /// [N] of 0 and 1: the tokens whose lists count.
    let mask: [UInt8]

    /// Returns bounds of the entropy of each counted token in nats, [N].
    ///
    /// - Throws: `invalid-value` for lists that imply no bounds, with the token and the reason.
    /// - Complexity: O(N·K) over all cores
    func bounds(
        vocabulary: Int, _ tensors: inout TokenTensors, _ context: OperationContext
    ) throws(Problem) -> EntropyBoundColumns {
        let bounds: EntropyBoundColumns? =
            switch lists {
            case .tensor(let tensor):
                EntropyBoundColumns(
                    best: tensor, realised: realised, vocabulary: vocabulary, responseMask: mask,
                    while: { context.isWanted })
            case .ragged(let values, let offsets):
                EntropyBoundColumns(
                    best: values, offsets: offsets, realised: realised, vocabulary: vocabulary,
                    responseMask: mask, while: { context.isWanted })
            }
        guard let bounds else { throw .unheard }
        for fault in bounds.faults.prefix(TokenTensors.listed) {
            tensors.faults.add(
                .invalidValue,
                tensors.layout.reason("\(fault.error)", field: field, token: fault.row))
        }
        try tensors.faults.check()
        return bounds
    }
}

extension TokenTensors {
    /// Reads the likeliest tokens of each token from a tensor. Returns nil if it is absent or faulty, or still to come.
    /// - Parameter realised: [N] log-probabilities of the realised tokens, if they are given, too.
    mutating func best(_ spec: TensorSpec, realised: TokenNumbers?) -> BestTokens? {
        guard let tensor = request.tensor(spec, &faults) else { return nil }
        let lists: BestTokens.Lists
        if let offsets = request.raggedOffsets[spec.name] {
            lists = .ragged(tensor.doubles(), offsets: offsets)
        } else {
            let isEmptyList = isEmpty && tensor.count == 0
            guard
                isEmptyList
                    || (Array(tensor.shape.dropLast()) == layout.shape && (tensor.shape.last ?? 0) >= 1)
            else {
                addMisfit(
                    tensor, spec,
                    expected: "[\((layout.shape.map(String.init) + ["K ≥ 1"]).joined(separator: ", "))]")
                return nil
            }
            lists = isEmptyList ? .ragged([], offsets: [0]) : .tensor(tensor)
        }
        let known = realised.flatMap { $0.count == responseMask.count ? $0 : nil }
        // Values that rounding put above 0 were accepted where they were read. As probabilities they are 1.
        return BestTokens(
            lists: lists, realised: known?.map { .unidentified(logProb: min($0, 0)) }, field: spec.name,
            mask: mask(of: spec))
    }
}
