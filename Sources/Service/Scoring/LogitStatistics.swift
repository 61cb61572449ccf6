import Parallelism
import TokenDistribution

/// The log-sum-exp and the entropy of each row of one view's logits that counts, [N] each; 0 elsewhere.
struct LogitStatistics: Sendable {
    let summaries: [RowSummary]
    /// [N] of 0 and 1: the rows that count.
    private let mask: [UInt8]
    /// The results for rows that were folded as they arrived; nil if the logits were kept.
    private let reduced: ReducedLogits?

    /// Computes the statistics. Rows whose statistics are undefined become faults.
    /// - Parameters:
    ///   - mask: [N], the rows that count; nil for the response mask.
    ///   - read: returns the outcome of a token whose rows were read together with those of other views; nil for a
    ///     token that was not read.
    /// - Complexity: O(response rows × V), over all cores; O(response rows) if they were read before.
    init(
        _ logits: VocabularyLogits, _ context: OperationContext, field: String,
        _ tensors: inout TokenTensors, mask: [UInt8]? = nil,
        read: ((Int) -> RowStatistics.Outcome?)? = nil
    ) throws(Problem) {
        let mask = mask ?? tensors.responseMask
        self.mask = mask
        let tokens = mask.indices.filter { mask[$0] == 1 }
        reduced = tensors.request.reduced[field]
        let known =
            read
            ?? reduced.map { reduced in { reduced.outcomes[$0 * logits.slices + logits.slice] } } ?? { _ in
                nil
            }
        let unread = tokens.filter { known($0) == nil }
        let found = mapInParallel(
            unread.count, operations: unread.count * logits.vocabulary, while: { context.isWanted }
        ) { logits.statistics(ofRow: unread[$0]) }
        guard var rest = found?.makeIterator() else { throw .unheard }
        var summaries = [RowSummary](repeating: .none, count: mask.count)
        for token in tokens {
            guard let outcome = known(token) ?? rest.next() else {
                preconditionFailure("row \(token) was not read")
            }
            switch outcome {
            case .defined(let summary): summaries[token] = summary
            case .notANumber, .positiveInfinity, .allNegativeInfinity:
                if let reason = tensors.layout.fault(of: outcome, field: field, token: token) {
                    tensors.faults.add(.nonFiniteValue, reason.ofSlice(logits.slice, of: logits.slices))
                }
            }
        }
        self.summaries = summaries
    }

    /// [N] in nats.
    var logSumExp: [Double] { summaries.map(\.logSumExp) }
    var entropy: [Double] { summaries.map(\.entropy) }

    /// Returns the log softmax of the realised tokens, [N]. A token of probability 0 is a fault.
    func logProbabilities(
        of ids: [Int], _ logits: VocabularyLogits, field: String, _ tensors: inout TokenTensors
    ) -> [Double] {
        var values = [Double](repeating: 0, count: ids.count)
        for token in ids.indices where mask[token] == 1 {
            let logit =
                reduced?.tokenLogits[token * logits.slices + logits.slice]
                ?? logits.logit(row: token, token: ids[token])
            values[token] = summaries[token].logProbability(ofLogit: logit)
            if !values[token].isFinite {
                tensors.faults.add(
                    .nonFiniteValue,
                    tensors.layout.fault(ofLogProbability: values[token], field: field, token: token)
                        .ofSlice(logits.slice, of: logits.slices))
            }
        }
        return values
    }
}

extension TokenLayout {
    /// Returns the reason that a row's statistics are undefined; nil if they are defined.
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

    /// Returns the reason that a realised token cannot be scored.
    func fault(ofLogProbability value: Double, field: String, token: Int) -> Problem.Reason {
        reason(
            "the realised token has probability 0", field: field, token: token, expected: "a finite number",
            found: "\(value)")
    }
}

extension Problem.Reason {
    /// Returns the reason for one of several rows that a token has in its tensor.
    func ofSlice(_ slice: Int, of slices: Int) -> Problem.Reason {
        guard slices > 1 else { return self }
        var reason = self
        reason.index?.append(slice)
        return reason
    }
}
