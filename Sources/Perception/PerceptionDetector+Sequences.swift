internal import Batches
internal import CNumberLists
import Parallelism

extension PerceptionDetector {
    /// Compares entropies and chooses tokens sequence by sequence, so that scores are still in the cache when they are
    /// ranked. Writes lists in the form that a reply sends.
    /// - Complexity: O(N) on average
    func detect(
        _ original: TokenNumbers, _ removing: TokenNumbers, _ responseMask: [UInt8], _ sequences: Sequences,
        _ wishes: DetectionWishes
    ) -> Detection {
        let count = sequences.tokens
        precondition(original.count == count && removing.count == count && responseMask.count == count)
        var detection = Detection(
            mask: [UInt8](repeating: 0, count: count), candidates: unsafe uninitializedList(count))
        var deltas = wishes.deltaEntropy ? unsafe FloatList(count: count) { _ in } : nil
        var scores = wishes.score ? unsafe FloatList(count: count) { _ in } : nil
        var sums = [(deltas: Double, areFinite: Bool)](repeating: (0, true), count: sequences.count)
        unsafe withLists(&detection, &deltas, &scores) { mask, outputs in
            unsafe withInputs(original, removing, responseMask, outputs) { lists in
                unsafe sums.withUnsafeMutableBufferPointer { sums in
                    // Sequences are disjoint.
                    nonisolated(unsafe) let (lists, mask, sums) = unsafe (lists, mask, sums)
                    performInParallel(sequences.count, operations: 20 * count) { sequence in
                        let range = sequences[sequence]
                        if range.isEmpty { return }
                        unsafe sums[sequence] = detect(
                            lists.advanced(by: range), mask.map { unsafe $0 + range.lowerBound },
                            scopes: scopes(of: responseMask, in: range), from: range.lowerBound)
                    }
                }
            }
        }
        if sums.allSatisfy(\.areFinite) {
            deltas?.markFinite()
            scores?.markFinite()
        }
        detection.narrow = Detection.NarrowLists(
            deltaEntropy: deltas, score: scores, deltaSums: sums.map(\.deltas))
        return detection
    }

    /// Detects in one sequence. The lists contain its tokens, and `scopes` count from `first`.
    /// - Returns: the sum of its ΔH, and whether all floats are finite.
    @unsafe
    private func detect(
        _ lists: number_lists_compared, _ mask: UnsafeMutablePointer<UInt8>?, scopes: [Range<Int>],
        from first: Int
    ) -> (deltas: Double, areFinite: Bool) {
        var lists = unsafe lists
        let count = unsafe lists.count
        var scores: [Double] = unsafe uninitializedList(count)
        var sums = SIMD8<Double>.zero
        var areFinite = true
        unsafe scores.withUnsafeMutableBufferPointer { scores in
            unsafe withUnsafeMutableBytes(of: &sums) { sums in
                unsafe lists.scores = scores.baseAddress
                unsafe withUnsafeMutablePointer(to: &areFinite) { areFinite in
                    unsafe lists.sums = sums.assumingMemoryBound(to: Double.self).baseAddress
                    unsafe lists.are_finite = areFinite
                    unsafe compare(lists)
                }
            }
        }
        let candidates = unsafe UnsafeBufferPointer(start: lists.candidates, count: count).span
        var chosen = unsafe UnsafeMutableBufferPointer(start: mask, count: count).mutableSpan
        for scope in scopes {
            let range = scope.lowerBound - first..<scope.upperBound - first
            cut(of: candidates, scores.span, in: range).select(
                from: candidates, scores.span, in: range, &chosen)
        }
        return (sums.sum(), areFinite)
    }

    @unsafe
    private func withLists(
        _ detection: inout Detection, _ deltas: inout FloatList?, _ scores: inout FloatList?,
        _ body: (UnsafeMutablePointer<UInt8>?, number_lists_compared) -> Void
    ) {
        unsafe detection.mask.withUnsafeMutableBufferPointer { mask in
            unsafe detection.candidates.withUnsafeMutableBufferPointer { candidates in
                unsafe deltas.withMutableFloats { deltas in
                    unsafe scores.withMutableFloats { scores in
                        var lists = unsafe number_lists_compared()
                        unsafe lists.candidates = candidates.baseAddress
                        unsafe lists.narrow_rises = deltas
                        unsafe lists.narrow_scores = scores
                        if !mask.isEmpty { unsafe body(mask.baseAddress, lists) }
                    }
                }
            }
        }
    }
}

extension number_lists_compared {
    /// The lists of the tokens in `range`.
    @unsafe
    fileprivate func advanced(by range: Range<Int>) -> number_lists_compared {
        var rest = unsafe self
        let start = range.lowerBound
        unsafe rest.count = range.count
        unsafe rest.anchor = anchor.advanced(by: start)
        unsafe rest.reference = reference.advanced(by: start)
        unsafe rest.response = response.map { unsafe $0 + start }
        unsafe rest.narrow_rises = narrow_rises.map { unsafe $0 + start }
        unsafe rest.narrow_scores = narrow_scores.map { unsafe $0 + start }
        unsafe rest.candidates = candidates.map { unsafe $0 + start }
        return unsafe rest
    }
}
