import Batches
import ContrastiveLoss
import EngineReplies
import Tensor
import TokenDistribution

extension TokenTensors {
    /// Reads one view's log-probabilities [N] from engines' replies, and the likeliest tokens if an entropy needs them.
    /// A rollout without views and without a reply has zeros and no likeliest tokens. Errors in a reply become faults.
    /// Returns nil if the view has no replies.
    mutating func replies(
        _ view: View, needsBest: Bool
    ) -> (logProbabilities: [Double], best: BestTokens?)? {
        guard let replies = request.replies[view] else { return nil }
        // The tokens that the replies must score, if the request gives them; they are checked elsewhere. Otherwise the
        // replies of all views must score the same tokens as the first of them.
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
            // A rollout without views is not ranked by entropies.
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
