package import Batches
import Parallelism

/// The input of a detector, flat over N tokens.
package enum Evidence: Sendable {
    /// The entropies in nats.
    case entropies(original: TokenNumbers, removing: TokenNumbers)
    /// The divergences, and the tokens whose log-probability falls; nil if every response token may be chosen.
    case divergences([Double], isRising: [UInt8]?)
    /// 1 for perception tokens. Values outside the response are ignored.
    case mask([UInt8])
    case none
}

/// The result of a detector, flat over N tokens.
package struct Detection: Sendable {
    /// 1 for perception tokens.
    package var mask: [UInt8]
    /// ΔH in nats, 0 outside the response mask; nil if no entropies were compared.
    package var deltaEntropy: [Double]?
    /// The scores of candidates, 0 outside the response mask; nil if none were ranked.
    package var score: [Double]?
    /// 1 for candidates.
    package var candidates: [UInt8]
    /// Replaces the lists of doubles if entropies were compared for a reply; otherwise nil.
    package var narrow: NarrowLists?

    /// Lists in the form that a reply sends.
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

/// The lists of a detection that a reply sends.
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
    ///   - evidence: the evidence for the method.
    ///   - responseMask: [N] of 0 and 1; it is applied first, so padding and tool tokens are never ranked.
    ///   - wishes: the lists that a reply sends; nil to keep lists of doubles.
    /// - Complexity: O(N) on average (selection, not sorting).
    package func detect(
        _ evidence: Evidence, responseMask: [UInt8], sequences: Sequences, for wishes: DetectionWishes? = nil
    ) -> Detection {
        precondition(responseMask.count == sequences.tokens)
        switch (method, evidence) {
        case (.none, _):
            return Detection(mask: responseMask, candidates: responseMask)
        case (.given, .mask(let given)):
            let mask = intersection(of: given, and: responseMask)
            return Detection(mask: mask, candidates: mask)
        case (.entropy, .entropies(let original, let removing)):
            if let wishes { return detect(original, removing, responseMask, sequences, wishes) }
            var detection = compare(original, removing, responseMask)
            choose(&detection, responseMask, sequences)
            return detection
        case (.divergence, .divergences(let scores, let isRising)):
            precondition(scores.count == responseMask.count)
            var detection = Detection(
                mask: [], score: scores,
                candidates: isRising.map { intersection(of: $0, and: responseMask) } ?? responseMask)
            choose(&detection, responseMask, sequences)
            return detection
        case (.given, _), (.entropy, _), (.divergence, _):
            preconditionFailure("the detector \(method) was given something else to look at")
        }
    }

    /// Puts the best candidates of each scope into the mask.
    private func choose(_ detection: inout Detection, _ responseMask: [UInt8], _ sequences: Sequences) {
        guard let scores = detection.score else { preconditionFailure("nothing to rank by") }
        let scopes = scopes(of: responseMask, sequences)
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

    /// Returns the tokens of each quota.
    func scopes(of responseMask: [UInt8], _ sequences: Sequences) -> [Range<Int>] {
        (0..<sequences.count).flatMap { scopes(of: responseMask, in: sequences[$0]) }
    }

    /// Returns the tokens of each quota in one sequence.
    func scopes(of responseMask: [UInt8], in range: Range<Int>) -> [Range<Int>] {
        switch scope {
        case .sequence: [range]
        case .segment: segments(of: responseMask, in: range)
        }
    }

    /// Returns ΔH, score and candidates of every token. None is chosen yet.
    func compare(
        _ original: TokenNumbers, _ removing: TokenNumbers, _ responseMask: [UInt8]
    ) -> Detection {
        let count = responseMask.count
        precondition(original.count == count && removing.count == count)
        var detection = Detection(
            mask: [], deltaEntropy: unsafe uninitializedList(count), score: unsafe uninitializedList(count),
            candidates: unsafe uninitializedList(count))
        unsafe detection.withLists { lists in
            unsafe withInputs(original, removing, responseMask, lists) { lists in unsafe compare(lists) }
        }
        return detection
    }

    /// Returns the end of the k best candidates of one scope.
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
