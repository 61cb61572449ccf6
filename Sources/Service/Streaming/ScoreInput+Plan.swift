import ContrastiveLoss

extension ScoreInput {
    /// Logits are kept where the whole vocabulary is needed at once, else reduced or, where nothing is computed from
    /// them, passed over.
    var plan: IntakePlan {
        var uses: [String: IntakePlan.Use] = [:]
        for view in View.allCases where views[view].logits != nil {
            let use: IntakePlan.Use =
                if !needsStatistics(of: view) {
                    .skip
                } else if options.loss.estimator.needsVocabulary {
                    .keep(
                        advice:
                            "\(options.loss.estimator.rawValue) needs all three views of a token at once; "
                            + "send fewer tokens at a time, or use an estimator of the realised token")
                } else {
                    .reduce(temperature: options.temperature, readsToken: readsTokens(of: view))
                }
            uses["\(view.rawValue).logits"] = use
        }
        return IntakePlan(uses: uses, tensors: tensors, tokenIDs: tokenIDs)
    }
}

extension IntakePlan {
    init(uses: [String: Use], tensors: TokenTensors, tokenIDs: [Int]?) {
        self.uses = uses
        layout = tensors.layout
        responseMask = tensors.isAwaited("response_mask") ? nil : tensors.responseMask
        self.tokenIDs = tensors.isAwaited("token_ids") ? nil : tokenIDs
    }
}
