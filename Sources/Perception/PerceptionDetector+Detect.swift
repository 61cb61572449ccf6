package import Batches
import Parallelism

/// What a detector looks at, flat over N tokens.
package enum Evidence: Sendable {
    /// In nats.
    case entropies(original: TokenNumbers, removing: TokenNumbers)
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
    /// What stands for the lists of doubles where entropies were compared for a reply; nil elsewhere.
    package var narrow: NarrowLists?

    /// Lists as a reply sends them.
    package struct NarrowLists: Sendable, Equatable {
        /// Nil where it isn't wanted.
        package var deltaEntropy: FloatList?
        /// Nil where it isn't wanted.
        package var score: FloatList?
        /// [B]: the sum of each sequence's ΔH.
        package var deltaSums: [Double]
    }

    /// Whether entropies were compared, so that ΔH has a mean.
    package var comparesEntropies: Bool { deltaEntropy != nil || narrow != nil }
}

/// Which lists of a detection a reply sends.
package struct DetectionWishes: Sendable {
    package var deltaEntropy: Bool
    package var score: Bool

    package init(deltaEntropy: Bool, score: Bool) {
        self.deltaEntropy = deltaEntropy
        self.score = score
    }
}

extension PerceptionDetector {
    /// - Parameters:
    ///   - evidence: that of the method.
    ///   - responseMask: [N] of 0 and 1; it always applies first, so that padding and tool tokens are never ranked.
    ///   - wishes: what a reply sends; nil to keep lists of doubles.
    /// - Complexity: O(N) on average (selection, not sorting).
    package func detect(
        _ evidence: Evidence, responseMask: [UInt8], rows: Rows, for wishes: DetectionWishes? = nil
    ) -> Detection {
        precondition(responseMask.count == rows.tokens)
        switch (method, evidence) {
        case (.none, _):
            return Detection(mask: responseMask, candidates: responseMask)
        case (.given, .mask(let given)):
            let mask = intersection(of: given, and: responseMask)
            return Detection(mask: mask, candidates: mask)
        case (.entropy, .entropies(let original, let removing)):
            if let wishes { return detect(original, removing, responseMask, rows, wishes) }
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
        (0..<rows.count).flatMap { scopes(of: responseMask, in: rows[$0]) }
    }

    /// The tokens of each quota in one sequence.
    func scopes(of responseMask: [UInt8], in range: Range<Int>) -> [Range<Int>] {
        switch scope {
        case .sequence: [range]
        case .segment: segments(of: responseMask, in: range)
        }
    }

    /// ΔH, score and candidates of every token; nobody is chosen yet.
    func compare(
        _ original: TokenNumbers, _ removing: TokenNumbers, _ responseMask: [UInt8]
    ) -> Detection {
        let count = responseMask.count
        precondition(original.count == count && removing.count == count)
        var detection = Detection(
            mask: [], deltaEntropy: room(count), score: room(count), candidates: room(count))
        unsafe detection.withRoom { lists in
            unsafe withInputs(original, removing, responseMask, lists) { lists in unsafe compare(lists) }
        }
        return detection
    }

    /// Where the k best candidates of one scope end.
    func cut(of candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>) -> Cut {
        let ranked = ranked(candidates, scores, in: range)
        let k = keep(of: ranked.count)
        guard k > 0 else { return Cut(threshold: .infinity, ties: 0) }
        if k == ranked.count { return Cut(threshold: -.infinity, ties: 0) }
        let threshold = kthLargest(k, of: ranked)
        switch ties {
        case .all: return Cut(threshold: threshold, ties: .max)
        case .first: return Cut(threshold: threshold, ties: k - countAbove(threshold, ranked))
        }
    }
}
