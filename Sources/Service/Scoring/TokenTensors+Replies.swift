import Batches
import ContrastiveLoss
import EngineReplies
import Tensor
import TokenDistribution

extension TokenTensors {
    /// What engines' replies say of one view's response tokens: log-probabilities [N], and the likeliest tokens where
    /// an entropy needs them; zeros and no tokens of a rollout without views that has no reply. Nil when the view has
    /// no replies; what is wrong with one becomes a fault.
    mutating func replies(
        _ view: View, needsBest: Bool
    ) -> (logProbabilities: [Double], best: BestTokens?)? {
        guard let replies = request.replies[view] else { return nil }
        // What the tokens must be, where the request says it; they are checked on their own. Else all views' replies
        // must score the same tokens as the first of them.
        let tokenIDs = request.tensors[TensorSpec.tokenIDs.name]?.integers()
        var logProbabilities: [Double] = []
        var values: [Double] = []
        var offsets = [0]
        var realised: [RealisedToken] = []
        func skip(_ count: Int) {
            offsets += [Int](repeating: values.count, count: count)
            realised += [RealisedToken](repeating: .listed, count: count)
        }
        for (sequence, reply) in replies.enumerated() {
            let tokens = layout.sequences[sequence]
            guard let reply else {
                logProbabilities += [Double](repeating: 0, count: tokens.count)
                skip(tokens.count)
                continue
            }
            // Of a rollout without views nothing is ranked by entropies.
            let needsBest = needsBest && !isUnviewed(sequence)
            let counts = Array(responseMask[tokens])
            let response: EngineResponse
            do throws(EngineReplyError) {
                response =
                    if let expected = tokenIDs.map({ $0[tokens].map(Int?.some) }) ?? scoredIDs[sequence] {
                        try reply.response(
                            tokenIDs: expected, responseMask: counts, needsBest: needsBest)
                    } else {
                        try reply.response(
                            last: tokens.count, responseMask: counts, needsBest: needsBest)
                    }
            } catch {
                let problem = Problem(error, field: "rollouts[\(sequence)].\(view.rawValue).reply")
                for reason in problem.reasons { faults.add(problem.kind, reason) }
                continue
            }
            if tokenIDs == nil, scoredIDs[sequence] == nil, response.ids.contains(where: { $0 != nil }) {
                scoredIDs[sequence] = response.ids
            }
            logProbabilities += response.logProbs
            for logProb in response.logProbs where logProb > 0 { residues.count(.logProbability) }
            guard let best = response.best else {
                skip(tokens.count)
                continue
            }
            let start = values.count
            values += best.logProbs
            offsets += best.offsets.dropFirst().map { $0 + start }
            realised += zip(best.realised, response.logProbs).map { standing, logProb in
                switch standing {
                case .listed: .listed
                case .outside: .outside(logProb: min(logProb, 0))
                case .unidentified: .unidentified(logProb: min(logProb, 0))
                }
            }
        }
        let field = "\(view.rawValue).reply"
        return (
            logProbabilities,
            needsBest
                ? BestTokens(
                    lists: .ragged(values, offsets: offsets), realised: realised, field: field,
                    mask: mask(of: .best(view))) : nil
        )
    }
}
