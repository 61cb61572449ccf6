import Batches
import ContrastiveLoss

/// What a scored batch was computed from, token by token, for those who look at it: [N], as the batch holds them.
struct ShownTokens: Sendable {
    let responseMask: [UInt8]
    let tokenIDs: [Int]?
    let texts: TokenTexts?
    let logProbabilities: PerView<TokenNumbers?>
    let entropies: PerView<TokenNumbers?>

    /// About what they take in memory.
    var bytes: Int {
        let words = View.allCases.reduce(0) { sum, view in
            sum + (logProbabilities[view]?.count ?? 0) + (entropies[view]?.count ?? 0)
        }
        return responseMask.count + 8 * (words + (tokenIDs?.count ?? 0)) + (texts?.bytes ?? 0)
    }

    /// Where the response is, and 0 elsewhere: padding may hold anything.
    func inResponse(_ numbers: TokenNumbers) -> [Double] {
        let values = numbers.doubles
        return values.indices.map { responseMask[$0] == 1 ? values[$0] : 0 }
    }
}
