import Glibc
package import Tensor

/// One view's logits: rows of V scores, one row per token of the flattened batch, before the division by temperature.
package struct VocabularyLogits: Sendable {
    package let tensor: DenseTensor
    /// Rows N = product of all extents but the last.
    package let rows: Int
    /// V, at least 1.
    package let vocabulary: Int
    /// Sampling temperature T > 0; every probability below is softmax(z/T).
    package let temperature: Double

    /// - Parameter tensor: [B,T,V] or [N,V] with V ≥ 1; F32, F16, BF16 or F64.
    package init(_ tensor: DenseTensor, temperature: Double) {
        precondition(tensor.shape.count >= 2 && tensor.elementType.isFloat && temperature > 0)
        let vocabulary = tensor.shape[tensor.shape.count - 1]
        precondition(vocabulary >= 1)
        self.tensor = tensor
        self.vocabulary = vocabulary
        self.rows = tensor.count / vocabulary
        self.temperature = temperature
    }

    /// Log-sum-exp and entropy of row `row`, in nats.
    /// - Complexity: O(V) time, O(1) memory.
    package func statistics(ofRow row: Int) -> RowStatistics.Outcome {
        var statistics = RowStatistics(temperature: temperature)
        tensor.withBytes(of: row * vocabulary..<(row + 1) * vocabulary) { bytes in
            statistics.add(bytes, as: tensor.elementType)
        }
        return statistics.outcome
    }

    /// The scaled logit z/T of one token.
    package func scaledLogit(row: Int, token: Int) -> Double {
        precondition(token >= 0 && token < vocabulary)
        let index = row * vocabulary + token
        return tensor.doubles(index..<index + 1)[0] / temperature
    }

    /// log softmax(z/T) of row `row`, [V], in Double throughout: a divergence between near-equal rows is a small
    /// difference of large terms. The row must have a finite logit and neither NaN nor +inf.
    /// - Complexity: O(V)
    package func logProbabilities(ofRow row: Int) -> [Double] {
        var values = tensor.doubles(row * vocabulary..<(row + 1) * vocabulary)
        let maximum = values.max() ?? 0
        var sum = 0.0
        for index in values.indices {
            values[index] = (values[index] - maximum) / temperature
            sum += exp(values[index])
        }
        let logSum = log(sum)
        for index in values.indices { values[index] -= logSum }
        return values
    }
}
