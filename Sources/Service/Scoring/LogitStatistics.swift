import Parallelism
import TokenDistribution

/// Log-sum-exp and entropy of each response row of one view's logits, [N] each; 0 elsewhere.
struct LogitStatistics: Sendable {
    /// What is wrong with a realised token whose log-probability is −inf.
    static let impossible = "the realised token has probability 0"

    private(set) var logSumExp: [Double]
    private(set) var entropy: [Double]
    /// The rows as they were folded while they arrived; nil where the logits were kept.
    private let reduced: ReducedLogits?

    /// Rows whose statistics are undefined become faults.
    /// - Complexity: O(response rows × V), over all cores; O(response rows) where they were reduced as they arrived.
    init(_ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors) {
        let mask = tensors.responseMask
        let tokens = mask.indices.filter { mask[$0] == 1 }
        reduced = tensors.request.reduced[field]
        let outcomes =
            if let reduced {
                tokens.map { reduced.outcomes[$0] }
            } else {
                mapInParallel(tokens.count, operations: tokens.count * logits.vocabulary) {
                    logits.statistics(ofRow: tokens[$0])
                }
            }
        logSumExp = [Double](repeating: 0, count: mask.count)
        entropy = logSumExp
        for (token, outcome) in zip(tokens, outcomes) {
            switch outcome {
            case .defined(let logSumExp, let entropy):
                self.logSumExp[token] = logSumExp
                self.entropy[token] = entropy
            case .notANumber, .positiveInfinity, .allNegativeInfinity:
                if let reason = tensors.layout.fault(of: outcome, field: field, token: token) {
                    tensors.faults.add(.nonFiniteValue, reason)
                }
            }
        }
    }

    /// log softmax of the realised tokens, [N]; a token of probability 0 is a fault.
    func logProbabilities(
        of ids: [Int], _ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors
    ) -> [Double] {
        var values = [Double](repeating: 0, count: ids.count)
        for token in ids.indices where tensors.responseMask[token] == 1 {
            let scaled = reduced?.scaledLogits[token] ?? logits.scaledLogit(row: token, token: ids[token])
            values[token] = scaled - logSumExp[token]
        }
        tensors.checkFinite(values, field, LogitStatistics.impossible)
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
}
