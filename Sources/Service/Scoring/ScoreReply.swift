import Batches
import ContrastiveLoss
import JSON
import Perception
import PolicyObjective
import TokenDistribution

/// Turns a loss report into the reply of the contract.
struct ScoreReply {
    let report: LossReport
    /// Nil without a policy term and without a reference policy.
    let policy: PolicyReport?
    let batch: TokenBatch
    let entropies: ViewEntropies
    let input: ScoreInput
    /// The gradients of logits; nil if none are returned.
    let gradients: LogitGradients?
    /// The texts of the tokens, and the number of sequences that texts did not fit; nil if none were given.
    let texts: TokenTexts?
    let ignoredTexts: Int?

    private var options: ScoreOptions { input.options }

    /// - Throws: `non-finite-value` for a result that does not fit a 32-bit float.
    var reply: TensorReply {
        get throws(Problem) {
            let tensors = input.tensors
            var reply = TensorReply(form: tensors.request.form, layout: tensors.layout)
            addScalars(to: &reply)
            reply.setDiagnostics(
                Diagnostics.Source(
                    batch: batch, selection: report.selection, report: report, policy: policy,
                    groups: input.merits.groups,
                    residues: tensors.residues, withoutViews: tensors.withoutViews,
                    undecided: entropies.undecided(options.loss.detector, batch),
                    ignoredTexts: ignoredTexts),
                sequences: tensors.layout.sequences, preset: options.preset.rawValue)
            reply.scalars.append(.init("options", echoedOptions.echo))
            if case .rollouts = tensors.layout.kind, let texts { reply.add("tokens", texts) }
            addTokens(to: &reply)
            addBounds(to: &reply)
            addGradients(to: &reply)
            try reply.check()
            return reply
        }
    }

    /// The options, with the tensors of the reply as `return`, so that they can be posted back.
    private var echoedOptions: ScoreOptions {
        var echoed = options
        for view in View.allCases {
            if input.learnsThroughLogits(view) {
                echoed.returned.subtract([.gradient(of: view, logits: false), .weights(of: view)])
            }
            // Over the vocabulary, a view may take part only through its log-probabilities.
            if input.views[view].logits == nil, !input.tensors.isEmpty {
                echoed.returned.remove(.gradient(of: view, logits: true))
            }
            if options.returnsAll, entropies.bounds[view] != nil {
                let bounds = [ScoreOutput.lowerBound(of: view), ScoreOutput.upperBound(of: view)]
                echoed.returned.formUnion(bounds.compactMap(\.self))
            }
        }
        return echoed
    }

    private func addScalars(to reply: inout TensorReply) {
        let loss = report.aggregated
        reply.addScalar("loss", loss.loss, asTensor: true)
        reply.addScalar("weighted_loss", loss.loss * options.loss.coefficient, asTensor: true)
        reply.addScalar("loss_numerator", loss.numerator, asTensor: true)
        reply.addScalar("loss_denominator", loss.denominator, asTensor: true)
        reply.addScalar("objective", report.objective, asTensor: true)
        add(policy?.policy?.aggregated, "policy_loss", to: &reply)
        add(policy?.kl?.aggregated, "kl", to: &reply)
        if let fraction = policy?.clipFraction { reply.addScalar("clip_fraction", fraction) }
        guard !report.entropyTerms.isEmpty else { return }
        let values: [(String, (EntropyTerm) -> Double)] = [
            ("entropy_loss", \.value), ("entropy_loss_numerator", \.numerator),
            ("entropy_loss_denominator", \.denominator),
        ]
        for (name, value) in values {
            reply.addScalars(name, report.entropyTerms.map { ($0.view.rawValue, value($0)) })
        }
    }

    private func add(_ part: AggregatedLoss?, _ name: String, to reply: inout TensorReply) {
        guard let part else { return }
        reply.addScalar(name, part.loss)
        reply.addScalar("\(name)_numerator", part.numerator)
        reply.addScalar("\(name)_denominator", part.denominator)
    }

    private func addBounds(to reply: inout TensorReply) {
        for view in View.allCases {
            guard let bounds = entropies.bounds[view], let lower = ScoreOutput.lowerBound(of: view),
                let upper = ScoreOutput.upperBound(of: view)
            else { continue }
            for (output, values) in [(lower, bounds.lower), (upper, bounds.upper)]
            where options.returnsAll || options.returned.contains(output) {
                reply.add(output.rawValue, values)
            }
        }
    }

    private func addTokens(to reply: inout TensorReply) {
        let detection = report.selection.detection
        for output in ScoreOutput.allCases where options.returned.contains(output) {
            let name = output.rawValue
            switch output {
            case .perceptionMask: reply.add(name, masks: detection.mask)
            case .gate: reply.add(name, masks: report.selection.gate)
            case .mask: reply.add(name, masks: report.selection.mask)
            case .deltaEntropy: reply.add(name, detection.narrow?.deltaEntropy, detection.deltaEntropy)
            case .perceptionScore: reply.add(name, detection.narrow?.score, detection.score)
            case .tokenLoss: reply.add(name, report.narrowTokenLoss, report.tokenLoss)
            case .advantageScale: reply.add(name, sequences: report.selection.advantageScales?.values ?? [])
            case .tokenReward: reply.add(name, tokenReward)
            case .originalEntropyLower, .originalEntropyUpper, .removingEntropyLower, .removingEntropyUpper,
                .gradientOriginalLogProbs, .gradientPreservingLogProbs, .gradientRemovingLogProbs,
                .gradientRows, .gradientOriginalLogits, .gradientPreservingLogits, .gradientRemovingLogits,
                .weightsOriginal, .weightsPreserving, .weightsRemoving:
                break
            }
        }
    }

    /// −coefficient · Σ weight · D where the mask is 1. It can be added to advantages (the terms of arXiv 2601.00501 as
    /// a reward).
    private var tokenReward: [Double] {
        report.contrast.indices.map {
            report.selection.mask[$0] == 1 ? 0 - options.loss.coefficient * report.contrast[$0] : 0
        }
    }

    private func addGradients(to reply: inout TensorReply) {
        for view in View.allCases {
            guard let gradient = report.gradients.logProbabilities[view], !input.learnsThroughLogits(view)
            else { continue }
            let output = ScoreOutput.gradient(of: view, logits: false)
            if options.returned.contains(output) {
                reply.add(output.rawValue, gradient: gradient, as: options.resultType)
            }
        }
        for view in View.allCases where options.returned.contains(.weights(of: view)) {
            guard let gradient = report.gradients.logProbabilities[view], !input.learnsThroughLogits(view)
            else { continue }
            reply.add(ScoreOutput.weights(of: view).rawValue, FloatList(gradient.map { 0 - $0 }))
        }
        if options.returned.contains(.gradientRows) {
            reply.add(
                ScoreOutput.gradientRows.rawValue,
                indices: report.carriers.indices.filter { report.carriers[$0] == 1 })
        }
        guard let gradients else { return }
        reply.add(
            gradients, as: options.resultType,
            View.allCases.filter { options.gradientViews.contains($0) && gradients.covers($0) }.map {
                ($0, ScoreOutput.gradient(of: $0, logits: true).rawValue)
            })
    }
}
