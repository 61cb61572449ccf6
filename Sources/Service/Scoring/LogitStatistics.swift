import Parallelism
import TokenDistribution

/// Log-sum-exp and entropy of each response row of one view's logits, [N] each; 0 elsewhere.
struct LogitStatistics: Sendable {
    let summaries: [RowSummary]
    /// The rows as they were folded while they arrived; nil where the logits were kept.
    private let reduced: ReducedLogits?

    /// Rows whose statistics are undefined become faults.
    /// - Parameter read: a response token's outcome, where the rows were read together with those of other views.
    /// - Complexity: O(response rows × V), over all cores; O(response rows) where they were read before.
    init(
        _ logits: VocabularyLogits, _ context: OperationContext, field: String,
        _ tensors: inout TokenTensors, read: ((Int) -> RowStatistics.Outcome?)? = nil
    ) throws(Problem) {
        let mask = tensors.responseMask
        let tokens = mask.indices.filter { mask[$0] == 1 }
        reduced = tensors.request.reduced[field]
        let outcomes: [RowStatistics.Outcome]? =
            if let read {
                tokens.map { token in
                    guard let outcome = read(token) else { preconditionFailure("row \(token) was not read") }
                    return outcome
                }
            } else if let reduced {
                tokens.map { reduced.outcomes[$0 * logits.parts + logits.part] }
            } else {
                mapInParallel(
                    tokens.count, operations: tokens.count * logits.vocabulary,
                    while: { context.isWanted }
                ) { logits.statistics(ofRow: tokens[$0]) }
            }
        guard let outcomes else { throw .unheard }
        var summaries = [RowSummary](repeating: .none, count: mask.count)
        for (token, outcome) in zip(tokens, outcomes) {
            switch outcome {
            case .defined(let summary): summaries[token] = summary
            case .notANumber, .positiveInfinity, .allNegativeInfinity:
                if let reason = tensors.layout.fault(of: outcome, field: field, token: token) {
                    tensors.faults.add(.nonFiniteValue, reason.ofPart(logits.part, of: logits.parts))
                }
            }
        }
        self.summaries = summaries
    }

    /// [N] in nats.
    var logSumExp: [Double] { summaries.map(\.logSumExp) }
    var entropy: [Double] { summaries.map(\.entropy) }

    /// log softmax of the realised tokens, [N]; a token of probability 0 is a fault.
    func logProbabilities(
        of ids: [Int], _ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors
    ) -> [Double] {
        var values = [Double](repeating: 0, count: ids.count)
        for token in ids.indices where tensors.responseMask[token] == 1 {
            let logit =
                reduced?.tokenLogits[token * logits.parts + logits.part]
                ?? logits.logit(row: token, token: ids[token])
            values[token] = summaries[token].logProbability(ofLogit: logit)
            if !values[token].isFinite {
                tensors.faults.add(
                    .nonFiniteValue,
                    tensors.layout.fault(ofLogProbability: values[token], field: field, token: token)
                        .ofPart(logits.part, of: logits.parts))
            }
        }
        return values
    }
}

extension TokenLayout {
    /// Why a row's statistics are undefined; nil when they are not.
    func fault(of outcome: RowStatistics.Outcome, field: String, token: Int) -> Problem.Reason? {
        let (text, found): (String, String)
        switch outcome {
        case .defined: return nil
        case .notANumber: (text, found) = ("a row of logits holds NaN", "nan")
        case .positiveInfinity: (text, found) = ("a row of logits holds +inf", "inf")
        case .allNegativeInfinity: (text, found) = ("a row of logits has no finite entry", "-inf")
        }
        return reason(text, field: field, token: token, expected: "finite logits or -inf", found: found)
    }

    /// Why a realised token cannot be scored.
    func fault(ofLogProbability value: Double, field: String, token: Int) -> Problem.Reason {
        reason(
            "the realised token has probability 0", field: field, token: token, expected: "a finite number",
            found: "\(value)")
    }
}

extension Problem.Reason {
    /// The same of one of several rows that a token has in its tensor.
    func ofPart(_ part: Int, of parts: Int) -> Problem.Reason {
        guard parts > 1 else { return self }
        var reason = self
        reason.index?.append(part)
        return reason
    }
}
