import Parallelism
import TokenDistribution

/// Log-sum-exp and entropy of each response row of one view's logits, [N] each; 0 elsewhere.
struct LogitStatistics: Sendable {
    private(set) var logSumExp: [Double]
    private(set) var entropy: [Double]

    /// Rows whose statistics are undefined become faults.
    /// - Complexity: O(response rows × V), over all cores.
    init(_ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors) {
        let mask = tensors.responseMask
        let tokens = mask.indices.filter { mask[$0] == 1 }
        let outcomes = mapInParallel(tokens.count, operations: tokens.count * logits.vocabulary) {
            logits.statistics(ofRow: tokens[$0])
        }
        logSumExp = [Double](repeating: 0, count: mask.count)
        entropy = logSumExp
        for (token, outcome) in zip(tokens, outcomes) {
            switch outcome {
            case .defined(let logSumExp, let entropy):
                self.logSumExp[token] = logSumExp
                self.entropy[token] = entropy
            case .notANumber: tensors.addUndefined(field, token, "a row of logits holds NaN", "nan")
            case .positiveInfinity: tensors.addUndefined(field, token, "a row of logits holds +inf", "inf")
            case .allNegativeInfinity:
                tensors.addUndefined(field, token, "a row of logits has no finite entry", "-inf")
            }
        }
    }

    /// log softmax of the realised tokens, [N]; a token of probability 0 is a fault.
    func logProbabilities(
        of ids: [Int], _ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors
    ) -> [Double] {
        var values = [Double](repeating: 0, count: ids.count)
        for token in ids.indices where tensors.responseMask[token] == 1 {
            values[token] = logits.scaledLogit(row: token, token: ids[token]) - logSumExp[token]
        }
        tensors.checkFinite(values, field, "the realised token has probability 0")
        return values
    }
}

extension TokenTensors {
    fileprivate mutating func addUndefined(_ field: String, _ token: Int, _ text: String, _ found: String) {
        faults.add(
            .nonFiniteValue,
            layout.reason(text, field: field, token: token, expected: "finite logits or -inf", found: found))
    }
}
