import Batches
import PolicyObjective
import TestMaterial

extension PolicyBatch {
    /// Three policies that differ by a little, much, and beyond every clamp; a third of the tokens is no response.
    static func random(_ lengths: [Int], seed: UInt64, spreads: [Double] = [0.01, 0.3, 3, 60]) -> PolicyBatch
    {
        var random = SeededGenerator(seed: seed)
        let sequences = Sequences(lengths: lengths)
        func list(_ range: ClosedRange<Double>) -> [Double] {
            (0..<sequences.tokens).map { _ in Double.random(in: range, using: &random) }
        }
        func mask(_ share: Int) -> [UInt8] {
            (0..<sequences.tokens).map { _ in Int.random(in: 0..<6, using: &random) < share ? 1 : 0 }
        }
        let new = list(-60...0)
        func near(_ list: [Double]) -> [Double] {
            list.enumerated().map { token, value in
                let spread = spreads[token % spreads.count]
                return value + Double.random(in: -spread...spread, using: &random)
            }
        }
        return PolicyBatch(
            sequences: sequences, responseMask: mask(4), logProbabilities: new,
            oldLogProbabilities: near(new),
            referenceLogProbabilities: near(new), advantages: list(-2...2),
            advantageScale: (0..<sequences.count).map { 0.9 + 0.1 * Double($0 % 3) }, perceptionMask: mask(2))
    }
}
