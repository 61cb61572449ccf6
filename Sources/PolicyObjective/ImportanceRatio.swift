internal import Glibc
internal import Parallelism
internal import Batches

/// How much likelier a token, or a sequence, has become since it was sampled.
struct ImportanceRatio: Sendable {
    var value: Double
    /// A Boolean value indicating whether the clamp of the log-ratio passes the gradient.
    var passes: Bool

    /// Creates the ratio of one token.
    /// - Parameter difference: log-prob − old.
    @inline(__always)
    init(ofToken difference: Double) {
        let bounded = difference < -20 ? -20 : difference > 20 ? 20 : difference
        value = exp(bounded)
        passes = bounded == difference
    }

    /// Creates the ratio of a sequence.
    /// - Parameter mean: the mean of log-prob − old over the response, of any length that a float can count.
    init(ofSequence mean: Double) {
        value = exp(mean > 10 ? 10 : mean)
        passes = mean <= 10
    }
}

extension PolicyBatch {
    /// Returns the ratio of each sequence, [B]. A sequence without a response has ratio 1.
    ///
    /// Pieces are summed separately, and their sums are added in order.
    /// - Complexity: O(N)
    func sequenceRatios() -> [ImportanceRatio] {
        guard let oldLogProbabilities else { preconditionFailure("a ratio needs the old log-probs") }
        let pieces = sequences.pieces(ofAtMost: PolicyBatch.piece)
        let parts = mapInParallel(pieces.count, operations: 4 * sequences.tokens) { index in
            let tokens = pieces[index].tokens
            let old = oldLogProbabilities.span
            let new = logProbabilities.span
            let mask = responseMask.span
            var differences = [Double](repeating: 0, count: tokens.count)
            var span = differences.mutableSpan
            for (place, token) in tokens.enumerated() { span[place] = new[token] - old[token] }
            let part = mask.extracting(tokens)
            let all = 0..<tokens.count
            return (sum: sum(of: differences.span, where: part, in: all), count: count(of: part, in: all))
        }
        var sums = [Double](repeating: 0, count: sequences.count)
        var counts = [Int](repeating: 0, count: sequences.count)
        for (piece, part) in zip(pieces, parts) {
            sums[piece.sequence] += part.sum
            counts[piece.sequence] += part.count
        }
        return zip(sums, counts).map { ImportanceRatio(ofSequence: $0 / Double(max(1, $1))) }
    }
}
