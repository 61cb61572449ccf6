// The Swift interface to the C code that compares entropies and ranks scores.
internal import Batches
internal import CNumberLists

extension PerceptionDetector {
    @unsafe
    func compare(_ lists: number_lists_compared) {
        var comparison = number_lists_comparison(
            epsilon: epsilon, minimum: minimumDeltaEntropy, is_relative: score == .relative)
        var lists = unsafe lists
        unsafe number_lists_compare(&comparison, &lists)
    }

    /// Calls `body` with the input lists and the output lists.
    @unsafe
    func withInputs(
        _ original: TokenNumbers, _ removing: TokenNumbers, _ responseMask: [UInt8],
        _ outputs: number_lists_compared,
        _ body: (number_lists_compared) -> Void
    ) {
        unsafe original.withSource { original in
            unsafe removing.withSource { removing in
                unsafe responseMask.withUnsafeBufferPointer { response in
                    var lists = unsafe outputs
                    unsafe lists.count = response.count
                    unsafe lists.anchor = original
                    unsafe lists.reference = removing
                    unsafe lists.response = response.baseAddress
                    unsafe body(lists)
                }
            }
        }
    }

    /// Returns the scores of the candidates in `range`, in order.
    func ranked(_ candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>) -> [Double] {
        precondition(candidates.count == scores.count)
        if range.isEmpty { return [] }
        return unsafe [Double](unsafeUninitializedCapacity: range.count) { kept, filled in
            unsafe scores.extracting(range).withUnsafeBufferPointer { scores in
                unsafe candidates.extracting(range).withUnsafeBufferPointer { candidates in
                    filled = unsafe number_lists_keep(
                        scores.baseAddress, candidates.baseAddress, scores.count, kept.baseAddress)
                }
            }
        }
    }
}

extension Detection {
    /// Calls `body` with the lists of doubles and the list of candidates.
    @unsafe
    mutating func withLists(_ body: (number_lists_compared) -> Void) {
        var lists = unsafe number_lists_compared()
        unsafe deltaEntropy?.withUnsafeMutableBufferPointer { deltas in
            unsafe score?.withUnsafeMutableBufferPointer { scores in
                unsafe candidates.withUnsafeMutableBufferPointer { candidates in
                    unsafe lists.rises = deltas.baseAddress
                    unsafe lists.scores = scores.baseAddress
                    unsafe lists.candidates = candidates.baseAddress
                    if !candidates.isEmpty { unsafe body(lists) }
                }
            }
        }
    }
}

/// Returns the k-th largest of the values (k from 1).
///
/// The values are divided into a thousand equal intervals, and only those of one interval are compared. If the values
/// cannot be divided like this, all are compared.
/// - Complexity: O(n) on average, O(n log n) at worst.
func kthLargest(_ k: Int, of values: [Double]) -> Double {
    precondition(k >= 1 && k <= values.count)
    var rank = k
    var some = unsafe [Double](unsafeUninitializedCapacity: values.count) { some, filled in
        unsafe values.withUnsafeBufferPointer { values in
            filled = unsafe number_lists_narrow_down(
                values.baseAddress, values.count, &rank, some.baseAddress)
        }
    }
    if some.isEmpty { some = values }
    return largest(rank, of: &some)
}

/// Returns the number of values above a threshold.
func countAbove(_ threshold: Double, _ values: [Double]) -> Int {
    unsafe values.withUnsafeBufferPointer {
        unsafe number_lists_count_above($0.baseAddress, $0.count, threshold)
    }
}
