import Glibc
import Tensor

/// One row of logits in Double: what F64 rows are computed with throughout.
struct WideRow {
    let outcome: RowStatistics.Outcome
    /// log softmax(z/T), [V]; empty where the statistics are undefined.
    let logProbabilities: [Double]

    /// - Complexity: O(V) time and memory
    init(_ bytes: RawSpan, as type: ElementType, temperature: Double) {
        let count = bytes.byteCount / type.size
        var values = [Double](capacity: count) { output in
            output.append(repeating: 0, count: count)
            var span = output.mutableSpan
            type.widen(bytes, into: &span)
        }
        var statistics = RowStatistics(temperature: temperature)
        statistics.add(unsafe values.span.bytes, as: .float64)
        outcome = statistics.outcome
        guard case .defined = outcome else {
            logProbabilities = []
            return
        }
        // Differences first: log-probabilities of near-equal rows are themselves differences of large numbers.
        let maximum = values.max() ?? 0
        var sum = 0.0
        for index in values.indices {
            values[index] = (values[index] - maximum) / temperature
            sum += exp(values[index])
        }
        let logSum = log(sum)
        for index in values.indices { values[index] -= logSum }
        logProbabilities = values
    }

    var isDefined: Bool {
        if case .defined = outcome { true } else { false }
    }
}
