package import Tensor

/// One view's logits: rows of V scores, one row per token of the flattened batch, before the division by temperature.
package struct VocabularyLogits: Sendable {
    package let tensor: DenseTensor
    /// Rows N: one for each token.
    package let rows: Int
    /// How many rows each token has in the tensor, and which of them is this view's.
    package let slices: Int
    package let slice: Int
    /// V, at least 1.
    package let vocabulary: Int
    /// Sampling temperature T > 0; every probability below is softmax(z/T).
    package let temperature: Double

    /// - Parameters:
    ///   - tensor: [B,T,V] or [N,V] with V ≥ 1; F32, F16, BF16 or F64. Of several slices [B,T,slices,V] or [N,slices,V].
    ///   - slice: which of a token's rows are looked at, below `slices`.
    package init(_ tensor: DenseTensor, temperature: Double, slice: Int = 0, of slices: Int = 1) {
        precondition(tensor.shape.count >= 2 && tensor.elementType.isFloat && temperature > 0)
        precondition((0..<slices).contains(slice))
        let vocabulary = tensor.shape[tensor.shape.count - 1]
        precondition(vocabulary >= 1)
        self.tensor = tensor
        self.vocabulary = vocabulary
        self.rows = tensor.count / vocabulary / slices
        self.slice = slice
        self.slices = slices
        self.temperature = temperature
    }

    /// Where the elements of row `row` lie in the tensor.
    func elements(ofRow row: Int) -> Range<Int> {
        let start = (row * slices + slice) * vocabulary
        return start..<start + vocabulary
    }

    /// Log-sum-exp and entropy of row `row`, in nats.
    /// - Complexity: O(V) time, O(1) memory.
    package func statistics(ofRow row: Int) -> RowStatistics.Outcome {
        var statistics = RowStatistics(temperature: temperature)
        tensor.withBytes(of: elements(ofRow: row)) { bytes in
            statistics.add(bytes, as: tensor.elementType)
        }
        return statistics.outcome
    }

    /// The logit z of one token.
    package func logit(row: Int, token: Int) -> Double {
        precondition(token >= 0 && token < vocabulary)
        let index = elements(ofRow: row).lowerBound + token
        return tensor.doubles(index..<index + 1)[0]
    }
}
