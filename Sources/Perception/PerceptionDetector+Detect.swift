package import Batches
import Parallelism

/// What a detector looks at, flat over N tokens.
package enum Evidence: Sendable {
    /// In nats.
    case entropies(original: [Double], removing: [Double])
    /// How far the views are apart, and of whom the log-probability falls; nil where every response token may be chosen.
    case divergences([Double], isRising: [UInt8]?)
    /// 1 for perception tokens; what it says outside the response doesn't count.
    case mask([UInt8])
    case none
}

/// What a detector found, flat over N tokens.
package struct Detection: Sendable {
    /// 1 for perception tokens.
    package var mask: [UInt8]
    /// ΔH in nats, 0 outside the response mask; nil where no entropies were compared.
    package var deltaEntropy: [Double]?
    /// What candidates were ranked by, 0 outside the response mask; nil where they weren't.
    package var score: [Double]?
    /// 1 for candidates.
    package var candidates: [UInt8]
}

extension PerceptionDetector {
    /// - Parameters:
    ///   - evidence: that of the method.
    ///   - responseMask: [N] of 0 and 1; it always applies first, so that padding and tool tokens are never ranked.
    /// - Complexity: O(N) on average (selection, not sorting).
    package func detect(_ evidence: Evidence, responseMask: [UInt8], rows: Rows) -> Detection {
        precondition(responseMask.count == rows.tokens)
        switch (method, evidence) {
        case (.none, _):
            return Detection(mask: responseMask, candidates: responseMask)
        case (.given, .mask(let given)):
            let mask = intersection(of: given, and: responseMask)
            return Detection(mask: mask, candidates: mask)
        case (.entropy, .entropies(let original, let removing)):
            var detection = compare(original, removing, responseMask)
            choose(&detection, responseMask, rows)
            return detection
        case (.divergence, .divergences(let scores, let isRising)):
            precondition(scores.count == responseMask.count)
            var detection = Detection(
                mask: [], score: scores,
                candidates: isRising.map { intersection(of: $0, and: responseMask) } ?? responseMask)
            choose(&detection, responseMask, rows)
            return detection
        case (.given, _), (.entropy, _), (.divergence, _):
            preconditionFailure("the detector \(method) was given something else to look at")
        }
    }

    /// The best candidates of each scope become the mask.
    private func choose(_ detection: inout Detection, _ responseMask: [UInt8], _ rows: Rows) {
        guard let scores = detection.score else { preconditionFailure("nothing to rank by") }
        let scopes = scopes(of: responseMask, rows)
        let candidates = detection.candidates
        let cuts = mapInParallel(scopes.count, operations: 10 * responseMask.count) { index in
            cut(of: candidates.span, scores.span, in: scopes[index])
        }
        detection.mask = [UInt8](repeating: 0, count: responseMask.count)
        var span = detection.mask.mutableSpan
        for (range, cut) in zip(scopes, cuts) {
            cut.select(from: candidates.span, scores.span, in: range, &span)
        }
    }

    /// The tokens of each quota.
    func scopes(of responseMask: [UInt8], _ rows: Rows) -> [Range<Int>] {
        switch scope {
        case .sequence: (0..<rows.count).map { rows[$0] }
        case .segment: (0..<rows.count).flatMap { segments(of: responseMask, in: rows[$0]) }
        }
    }

    /// ΔH, score and candidates of every token; nobody is chosen yet.
    func compare(_ original: [Double], _ removing: [Double], _ responseMask: [UInt8]) -> Detection {
        compare(original.span, removing.span, responseMask.span)
    }

    private func compare(
        _ original: Span<Double>, _ removing: Span<Double>, _ response: Span<UInt8>
    ) -> Detection {
        var delta = [Double](repeating: 0, count: response.count)
        var score = delta
        var candidate = [UInt8](repeating: 0, count: response.count)
        var deltas = delta.mutableSpan
        var scores = score.mutableSpan
        var candidates = candidate.mutableSpan
        precondition(original.count == response.count && removing.count == response.count)
        precondition(deltas.count == response.count && scores.count == response.count)
        precondition(candidates.count == response.count)
        let isRelative = self.score == .relative
        let (epsilon, minimum) = (epsilon, minimumDeltaEntropy)
        for token in 0..<response.count {
            // In bounds by the lines above; a check for each element would keep the loop from being vector code.
            let isResponse = unsafe response[unchecked: token] == 1
            let reference = unsafe removing[unchecked: token]
            let delta = unsafe (reference - original[unchecked: token]).kept(if: isResponse)
            let rises = delta > 0
            let share = isRelative ? delta / (reference + epsilon) : delta
            unsafe deltas[unchecked: token] = delta
            unsafe scores[unchecked: token] = share.kept(if: rises)
            let isCandidate = UInt8(rises ? 1 : 0) & (delta > minimum ? 1 : 0)
            unsafe candidates[unchecked: token] = isCandidate
        }
        return Detection(mask: [], deltaEntropy: delta, score: score, candidates: candidate)
    }

    /// Where the k best candidates of one scope end.
    private func cut(of candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>) -> Cut {
        // Without a branch: which tokens are candidates can't be foreseen. Every score is written, the next one over it
        // unless it counts.
        var ranked = [Double](repeating: 0, count: range.count + 1)
        var n = 0
        for token in range {
            ranked[n] = scores[token]
            n += Int(candidates[token])
        }
        let k = keep(of: n)
        guard k > 0 else { return Cut(threshold: .infinity, ties: 0) }
        if k == n { return Cut(threshold: -.infinity, ties: 0) }
        ranked.removeLast(ranked.count - n)
        let threshold = largest(k, of: &ranked)
        switch ties {
        case .all: return Cut(threshold: threshold, ties: .max)
        case .first:
            // The k best have been moved to the front.
            return Cut(threshold: threshold, ties: k - ranked[..<k].count { $0 > threshold })
        }
    }
}
