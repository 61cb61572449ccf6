import Batches
import ContrastiveLoss

/// The inputs of a scored batch for each token, for viewers. Lists are [N], as in the batch.
struct ShownTokens: Sendable {
    let responseMask: [UInt8]
    let tokenIDs: [Int]?
    let texts: TokenTexts?
    let logProbabilities: PerView<TokenNumbers?>
    let entropies: PerView<TokenNumbers?>
    let advantages: TokenNumbers?
    let rewards: TokenNumbers?

    /// The approximate size in memory.
    var bytes: Int {
        let words = View.allCases.reduce(0) { sum, view in
            sum + (logProbabilities[view]?.count ?? 0) + (entropies[view]?.count ?? 0)
        }
        let merits = (advantages?.count ?? 0) + (rewards?.count ?? 0)
        return responseMask.count + 8 * (words + merits + (tokenIDs?.count ?? 0)) + (texts?.bytes ?? 0)
    }

    /// Returns the numbers inside the response and 0 elsewhere, because padding may hold anything.
    func inResponse(_ numbers: TokenNumbers) -> [Double] {
        let values = numbers.doubles
        return values.indices.map { responseMask[$0] == 1 ? ShownTokens.shown(values[$0]) : 0 }
    }

    /// Limits a number to the range of 32-bit floats, in which viewers get it; the loss also takes larger ones. A number
    /// that is not finite belongs to a sequence without views and was never read. It is shown as 0.
    static func shown(_ value: Double) -> Double {
        let largest = Double(Float.greatestFiniteMagnitude)
        return value.isFinite ? min(largest, max(-largest, value)) : 0
    }
}
