import ContrastiveLoss
import TokenDistribution

extension ScoreInput {
    /// The plan for the logits: keep them if all rows are needed at once, skip them if nothing is computed from them,
    /// otherwise reduce them.
    var plan: IntakePlan {
        var uses: [String: IntakePlan.Use] = [:]
        if tensors.has(.interleavedLogits) {
            uses[TensorSpec.interleavedLogits.name] = useOfInterleavedLogits
        } else {
            for view in View.allCases where views[view].logits != nil {
                uses[views[view].logitsField] = use(of: view)
            }
        }
        return IntakePlan(uses: uses, tensors: tensors, tokenIDs: tokenIDs)
    }

    private func use(of view: View) -> IntakePlan.Use {
        if !needsStatistics(of: view) { return .skip }
        if needs.distributions.contains(view) {
            return .keep(
                advice:
                    "\(options.loss.estimator.rawValue) needs the views of a token together; interleave "
                    + "their rows as logits [N, 3, V] and leave gradients out of return, send fewer tokens at a time, "
                    + "or use an estimator of the realised token")
        }
        if options.gradientViews.contains(view) { return .keep(advice: ScoreInput.gradientAdvice) }
        return .reduce(
            temperature: options.temperature, slices: [slice(of: view)])
    }

    private var useOfInterleavedLogits: IntakePlan.Use {
        let slices = View.allCases.map(slice)
        if !slices.contains(where: \.isNeeded) { return .skip }
        if !options.gradientViews.isEmpty { return .keep(advice: ScoreInput.gradientAdvice) }
        return contrast.map { .contrast($0, slices: slices) }
            ?? .reduce(temperature: options.temperature, slices: slices)
    }

    private func slice(of view: View) -> IntakePlan.Slice {
        IntakePlan.Slice(
            isNeeded: needsStatistics(of: view), readsToken: readsTokens(of: view),
            needsViews: TensorSpec.logits(view).needsViews)
    }

    private static let gradientAdvice =
        "gradients need the logits again when the loss is known; leave them out of return, send fewer tokens at a time, "
        + "or name a file of the shared directory"
}

extension IntakePlan {
    init(uses: [String: Use], tensors: TokenTensors, tokenIDs: [Int]?) {
        self.uses = uses
        layout = tensors.layout
        responseMask = tensors.isAwaited(.responseMask) ? nil : tensors.responseMask
        let isUnknown =
            responseMask == nil || tensors.isAwaited(.hasViews)
            || (tensors.has(.hasViews) && layout.isProvisional)
        viewedMask = isUnknown ? nil : tensors.viewedMask
        self.tokenIDs = tensors.isAwaited(.tokenIDs) ? nil : tokenIDs
    }
}
