import Parallelism
package import Tensor

/// The entropy bounds of N tokens.
package struct EntropyBoundColumns: Sendable, Equatable {
    /// Nats, [N]; 0 outside the response and where a row is at fault.
    package private(set) var lower: [Double]
    package private(set) var upper: [Double]
    /// The rows that bound nothing, in order.
    package private(set) var faults: [Fault] = []

    package struct Fault: Error, Sendable, Equatable {
        package let row: Int
        package let error: EntropyBoundsError
    }

    /// The means of both bounds, [N].
    package var middle: [Double] {
        lower.indices.map { EntropyBounds(lower: lower[$0], upper: upper[$0]).middle }
    }

    /// Rows of equal length.
    /// - Parameters:
    ///   - best: [B,T,K] or [N,K] of any float type: the k best log-probabilities of each token.
    ///   - realised: [N], or nil where nothing is known of the realised tokens.
    ///   - responseMask: [N]; rows where it is 0 are never read.
    ///   - isWanted: asked now and then.
    /// - Returns: nil when nobody wants it any more.
    /// - Complexity: O(N·K) over all cores.
    package init?(
        best: DenseTensor, realised: [RealisedToken]?, vocabulary: Int, responseMask: [UInt8],
        while isWanted: @Sendable () -> Bool = { true }
    ) {
        precondition(best.elementType.isFloat && best.shape.count >= 2)
        let length = best.shape[best.shape.count - 1]
        precondition(best.shape.dropLast().reduce(1, *) == responseMask.count)
        self.init(
            entries: best.count, realised: realised, vocabulary: vocabulary, responseMask: responseMask,
            while: isWanted
        ) { row in best.doubles(row * length..<(row + 1) * length) }
    }

    /// Rows of different lengths: row i is `best[offsets[i]..<offsets[i + 1]]`, so `offsets` is [N + 1].
    /// - Returns: nil when nobody wants it any more.
    package init?(
        best: [Double], offsets: [Int], realised: [RealisedToken]?, vocabulary: Int, responseMask: [UInt8],
        while isWanted: @Sendable () -> Bool = { true }
    ) {
        precondition(offsets.count == responseMask.count + 1 && offsets.last == best.count)
        self.init(
            entries: best.count, realised: realised, vocabulary: vocabulary, responseMask: responseMask,
            while: isWanted
        ) { row in Array(best[offsets[row]..<offsets[row + 1]]) }
    }

    private init?(
        entries: Int, realised: [RealisedToken]?, vocabulary: Int, responseMask: [UInt8],
        while isWanted: @Sendable () -> Bool, row: @Sendable (Int) -> [Double]
    ) {
        precondition(realised.map { $0.count == responseMask.count } ?? true)
        let bounds = mapInParallel(
            responseMask.count, operations: entries * operationsOfAnEntry, while: isWanted
        ) { index -> Result<EntropyBounds, EntropyBoundsError> in
            guard responseMask[index] != 0 else { return .success(EntropyBounds(lower: 0, upper: 0)) }
            let best = row(index)
            return Result { () throws(EntropyBoundsError) in
                try EntropyBounds(
                    best: best.span, realised: realised?[index] ?? .listed, vocabulary: vocabulary)
            }
        }
        guard let bounds else { return nil }
        lower = [Double](repeating: 0, count: bounds.count)
        upper = lower
        for (index, result) in bounds.enumerated() {
            switch result {
            case .success(let bound): (lower[index], upper[index]) = (bound.lower, bound.upper)
            case .failure(let error): faults.append(Fault(row: index, error: error))
            }
        }
    }
}

/// An exponential, and two compensated sums.
private let operationsOfAnEntry = 40
