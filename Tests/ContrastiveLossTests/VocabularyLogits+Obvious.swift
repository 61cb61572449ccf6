import Glibc
import Tensor
import TokenDistribution

extension VocabularyLogits {
    /// log softmax(z/T) of one row, [V], as it is written down, in Double throughout.
    func obviousLogProbabilities(ofRow row: Int) -> [Double] {
        let start = (row * slices + slice) * vocabulary
        let logits = tensor.doubles(start..<start + vocabulary)
        let maximum = logits.max() ?? 0
        let differences = logits.map { ($0 - maximum) / temperature }
        let logSum = log(differences.reduce(0) { $0 + exp($1) })
        return differences.map { $0 - logSum }
    }
}
