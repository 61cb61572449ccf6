import Batches
import ContrastiveLoss
import Testing
import TokenDistribution

@Suite struct FloatContrastTests {
    /// The numbers as floats in a body, at an odd address.
    private func floats(_ values: [Double]) -> TokenNumbers {
        var bytes: [UInt8] = [0xFF]
        for value in values {
            for place in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: Float(value).bitPattern >> UInt32(place)))
            }
        }
        return TokenNumbers(floats: bytes, start: 1, count: values.count)
    }

    @Test(arguments: sampledEstimators)
    func `floats have the bits that their Doubles have`(estimator: Estimator) {
        let drawn = drawnLogProbabilities(5000, seed: 11)
        let wide = PerView<[Double]> { drawn[$0].map { Double(Float($0)) } }
        let narrow = PerView<TokenNumbers?> { floats(drawn[$0]) }
        let response = (0..<5000).map { UInt8($0 % 9 == 4 ? 0 : 1) }
        let mask = (0..<5000).map { UInt8($0 % 4 == 1 ? 1 : 0) }
        let sequences = Sequences(lengths: [4101, 0, 899])
        let wishes = TokenContrast.Wishes(gradients: Set(View.allCases))
        for set in InstructionSet.available {
            for clamps in clampings {
                let contrast = TokenContrast(
                    terms: Term.contrastive, estimator: estimator, clamps: clamps, shape: TokenShape(),
                    instructionSet: set)
                func lists(_ numbers: PerView<TokenNumbers?>) -> TokenContrast.Lists {
                    contrast.lists(
                        numbers, responseMask: response, mask: mask, sequences: sequences,
                        weights: [0.25, 1, 2],
                        wishes: wishes)
                }
                let expected = lists(wide.numbers)
                #expect(lists(narrow).isSame(as: expected))
                let mixed = PerView<TokenNumbers?> { $0 == .removing ? wide.numbers[$0] : narrow[$0] }
                #expect(lists(mixed).isSame(as: expected))
            }
        }
    }
}
