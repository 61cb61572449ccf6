import Batches
import ContrastiveLoss
import Perception
import PolicyObjective

extension ScoreInput {
    /// Returns the policy component of the objective; nil if there is none.
    /// - Throws: `non-finite-value` for a token whose loss or gradient exceeds the range of Double.
    func policyReport(_ batch: TokenBatch, _ selection: Selection) throws(Problem) -> PolicyReport? {
        let loss = options.policy.loss(
            hasReference: tensors.has(.referenceLogProbabilities), options.loss.aggregation)
        guard let loss else { return nil }
        guard let logProbabilities = batch.logProbabilities.original else {
            preconditionFailure("presence of log-probabilities was checked")
        }
        do throws(PolicyLossError) {
            return try loss.score(
                PolicyBatch(
                    sequences: batch.sequences, responseMask: batch.responseMask,
                    logProbabilities: logProbabilities.doubles,
                    oldLogProbabilities: oldLogProbabilities?.doubles,
                    referenceLogProbabilities: referenceLogProbabilities?.doubles,
                    advantages: merits.advantages?.doubles,
                    advantageScale: selection.advantageScales?.values,
                    perceptionMask: batch.policyMask(selection.detection)))
        } catch {
            throw problem(error)
        }
    }

    private func problem(_ error: PolicyLossError) -> Problem {
        switch error {
        case .notFinite(let input, let token):
            Problem(
                .nonFiniteValue,
                tensors.layout.reason("not finite inside the response", field: input.rawValue, token: token))
        case .overflow(let part, let token):
            Problem(
                .nonFiniteValue,
                tensors.layout.reason("a token's loss is not finite", field: part.rawValue, token: token))
        case .sumOverflow(let part):
            Problem(.nonFiniteValue, "the sum over the tokens is not finite", field: part.rawValue)
        }
    }
}

extension TokenBatch {
    /// Returns the tokens whose policy losses count if only perception tokens do. A sequence without views keeps all of
    /// its tokens.
    fileprivate func policyMask(_ detection: Detection) -> [UInt8] {
        guard isMixed else { return detection.mask }
        let viewed = viewedMask
        return responseMask.indices.map { detection.mask[$0] | (responseMask[$0] ^ viewed[$0]) }
    }
}

extension PolicyReport {
    func component(of batch: TokenBatch) -> ObjectiveComponent {
        var gradient = [Double](repeating: 0, count: batch.sequences.tokens)
        addGradient(to: &gradient)
        return ObjectiveComponent(value: loss, gradient: gradient)
    }
}
