import Batches
import ContrastiveLoss
import TestMaterial
import TokenDistribution

// What the tests of `TokenContrast` compute with.

let sampledEstimators = Estimator.allCases.filter { !$0.needsVocabulary }
let clampings = [Clamps(), Clamps(result: 10), Clamps(input: 20, result: 10), Clamps(input: 0.5)]
/// The usual ones, one alone against the grain, and as many as there may be, two of the same pair.
let termLists = [
    Term.contrastive,
    [Term(.removing, .preserving, weight: -2.5)],
    [
        Term(.original, .preserving, weight: 1), Term(.original, .removing, weight: -0.5),
        Term(.preserving, .original, weight: 0.75), Term(.preserving, .removing, weight: -1.25),
        Term(.removing, .original, weight: 2), Term(.removing, .preserving, weight: -0.1),
        Term(.original, .preserving, weight: 0.3), Term(.removing, .original, weight: -1),
    ],
]

/// Log-probabilities as models give them, nearly equal ones, and those where a clamp, an overflow or an underflow
/// waits.
func drawnLogProbabilities(_ count: Int, seed: UInt64) -> PerView<[Double]> {
    var random = SeededGenerator(seed: seed)
    var views = PerView(original: [Double](), preserving: [Double](), removing: [Double]())
    for token in 0..<count {
        let anchor = -Double.random(in: 0...3, using: &random)
        let spread = [1e-12, 1e-3, 0.3, 3, 30, 400][token % 6]
        views.original.append(anchor)
        views.preserving.append(anchor + Double.random(in: -spread...spread, using: &random))
        views.removing.append(
            token % 13 == 0 ? anchor : anchor + Double.random(in: -spread...spread, using: &random))
    }
    return views
}

/// What a contrast yields of every token, each of weight ¼, with all gradients.
func contrasted(
    _ views: PerView<[Double]>, _ estimator: Estimator, _ clamps: Clamps,
    _ shape: TokenShape = TokenShape(), terms: [Term] = Term.contrastive,
    instructionSet: InstructionSet = .inUse, lengths: [Int]? = nil, response: [UInt8]? = nil,
    mask: [UInt8]? = nil,
    wishes: TokenContrast.Wishes = TokenContrast.Wishes(gradients: Set(View.allCases))
) -> TokenContrast.Lists {
    let count = views.original.count
    let ones = [UInt8](repeating: 1, count: count)
    let sequences = Sequences(lengths: lengths ?? [count])
    return TokenContrast(
        terms: terms, estimator: estimator, clamps: clamps, shape: shape, instructionSet: instructionSet
    ).lists(
        views.numbers, responseMask: response ?? ones, mask: mask ?? ones, sequences: sequences,
        weights: [Double](repeating: 0.25, count: sequences.count), wishes: wishes)
}

extension PerView<[Double]> {
    /// As a batch has them.
    var numbers: PerView<TokenNumbers?> { PerView<TokenNumbers?> { TokenNumbers(self[$0]) } }
}

extension TokenContrast.Lists {
    /// Whether all lists have the same bits.
    func isSame(as other: TokenContrast.Lists) -> Bool {
        contrast.map(\.bitPattern) == other.contrast.map(\.bitPattern)
            && loss.map(\.bitPattern) == other.loss.map(\.bitPattern) && isClamped == other.isClamped
            && View.allCases.allSatisfy {
                gradients[$0]?.map(\.bitPattern) == other.gradients[$0]?.map(\.bitPattern)
            }
    }
}
