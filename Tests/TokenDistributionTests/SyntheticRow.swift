import Glibc
import TestMaterial

/// A whole distribution of a made shape, most likely first.
struct SyntheticRow {
    let kind: String
    /// Log-probabilities, normalised in compensated sums.
    let sorted: [Double]
    let entropy: Double

    var count: Int { sorted.count }

    init(using random: inout SeededGenerator, vocabulary: Int? = nil) {
        let count = vocabulary ?? [1, 2, 3, 7, 50, 333, 3000].randomElement(using: &random) ?? 1
        let kinds = ["flat", "peaked", "very peaked", "tied", "steep", "broad", "equal but one"]
        kind = "\(kinds.randomElement(using: &random) ?? "flat") of \(count)"
        let name = kind.prefix { $0 != " " }
        let logits: [Double] = (0..<count).map { index in
            switch name {
            case "flat": Double.random(in: 0...1e-3, using: &random)
            case "peaked": index == 0 ? 12 : Double.random(in: -2...2, using: &random)
            case "very": index == 0 ? 60 : Double.random(in: -8...8, using: &random)
            case "tied": Double(Int.random(in: 0...3, using: &random))
            case "steep": -0.7 * Double(index)
            case "equal": index == 0 ? -3 : 0
            default: Double.random(in: -6...6, using: &random)
            }
        }
        let largest = logits.max() ?? 0
        let logSum = log(RowTwin.sum(logits.map { exp($0 - largest) }))
        // A certain token's own log-probability keeps its digits only as what the others leave.
        let others = RowTwin.sum(logits.map { $0 == largest ? 0 : exp($0 - largest) })
        let isAlone = logits.count { $0 == largest } == 1
        sorted = logits.map { $0 == largest && isAlone ? -log1p(others) : $0 - largest - logSum }
            .sorted(by: >)
        entropy = TokenDistributionTests.entropy(of: sorted.map { exp($0) })
    }
}

/// −Σ p log p.
func entropy(of probabilities: [Double]) -> Double {
    -RowTwin.sum(probabilities.map { $0 > 0 ? $0 * log($0) : 0 })
}

/// The bounds in the obvious way, from probabilities, most likely first.
struct BoundsTwin {
    let lower: Double
    let upper: Double

    init(_ best: [Double], further: Double?, vocabulary: Int) {
        let known = best + (further.map { [$0] } ?? [])
        let sum = entropy(of: known)
        var rest = 1 - RowTwin.sum(known)
        let others = vocabulary - known.count
        if others == 0 || rest <= 0 { rest = 0 }
        upper = sum + (rest > 0 ? rest * log(Double(others) / rest) : 0)
        // One token after the other takes as much as it may.
        var corner: [Double] = []
        let most = best.min() ?? 0
        while rest > 0, corner.count < others {
            corner.append(min(rest, most))
            rest -= corner[corner.count - 1]
        }
        lower = sum + entropy(of: corner)
    }
}
