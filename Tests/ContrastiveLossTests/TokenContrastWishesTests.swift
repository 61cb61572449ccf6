import Batches
import ContrastiveLoss
import Testing
import TokenDistribution

@Suite struct TokenContrastWishesTests {
    @Test func `outside the response nothing is read and nothing comes out`() throws {
        var views = drawnLogProbabilities(40, seed: 4)
        let response = (0..<40).map { UInt8($0 % 3 == 0 ? 0 : 1) }
        for token in 0..<40 where response[token] == 0 {
            views.original[token] = [.nan, .infinity, -.infinity, 1e300][token % 4]
            views.removing[token] = .nan
        }
        let wishes = TokenContrast.Wishes(
            gradients: Set(View.allCases),
            addends: PerView(original: views.original, preserving: nil, removing: views.removing))
        for estimator in sampledEstimators {
            for set in InstructionSet.available {
                let found = contrasted(
                    views, estimator, Clamps(result: 1e-3), instructionSet: set, response: response,
                    mask: response, wishes: wishes)
                for token in 0..<40 where response[token] == 0 {
                    #expect(found.contrast[token] == 0 && found.loss[token] == 0 && !found.isClamped[token])
                    for view in View.allCases {
                        #expect(try #require(found.gradients[view])[token] == 0)
                    }
                }
                #expect(found.loss.allSatisfy(\.isFinite) && found.isClamped.contains(true))
            }
        }
    }

    @Test func `gradients keep to the mask, and only those that are wanted are made`() throws {
        let views = drawnLogProbabilities(50, seed: 5)
        let mask = (0..<50).map { UInt8($0 % 2) }
        let all = contrasted(views, .k2, Clamps())
        let found = contrasted(
            views, .k2, Clamps(), mask: mask,
            wishes: TokenContrast.Wishes(gradients: [.original, .preserving]))
        #expect(found.loss == all.loss && found.contrast == all.contrast)
        #expect(found.gradients.removing == nil)
        let original = try #require(all.gradients.original)
        #expect(found.gradients.original == FloatList((0..<50).map { mask[$0] == 1 ? original[$0] : 0 }))
        #expect(try #require(all.gradients.removing).contains { $0 != 0 })
    }

    @Test func `a contrast alone has neither loss nor gradients`() {
        let views = drawnLogProbabilities(50, seed: 5)
        let found = contrasted(views, .k3, Clamps(), wishes: TokenContrast.Wishes(loss: false))
        #expect(found.contrast == contrasted(views, .k3, Clamps()).contrast)
        #expect(found.loss.isEmpty && found.isClamped.isEmpty)
        #expect(View.allCases.allSatisfy { found.gradients[$0] == nil })
    }

    @Test func `sums and narrow losses are those of the lists, on every instruction set`() throws {
        let lengths = [5000, 0, 77, 4096]
        let views = drawnLogProbabilities(lengths.reduce(0, +), seed: 9)
        let mask = views.original.indices.map { UInt8($0 % 3 == 1 ? 0 : 1) }
        let lists = contrasted(views, .k3, Clamps(input: 0.5, result: 10), lengths: lengths, mask: mask)
        let sequences = Sequences(lengths: lengths)
        var first: [SequenceSums]?
        for set in InstructionSet.available {
            let found = contrasted(
                views, .k3, Clamps(input: 0.5, result: 10), instructionSet: set, lengths: lengths, mask: mask,
                wishes: TokenContrast.Wishes(contrast: false, isClamped: false, loss: false, narrowLoss: true)
            )
            #expect(found.contrast.isEmpty && found.isClamped.isEmpty && found.loss.isEmpty)
            #expect(found.narrowLoss == FloatList(lists.loss.map { Float($0) }))
            for sequence in 0..<sequences.count {
                let chosen = sequences[sequence].filter { mask[$0] == 1 }
                let sums = found.sums[sequence]
                let (contrast, loss) = (chosen.map { lists.contrast[$0] }, chosen.map { lists.loss[$0] })
                let scale = 1 + contrast.reduce(0) { $0 + $1.magnitude }
                #expect(abs(sums.contrast - contrast.reduce(0, +)) < 1e-13 * scale)
                #expect(abs(sums.loss - loss.reduce(0, +)) < 1e-13 * (1 + loss.reduce(0, +)))
                #expect(
                    sums.clamped == chosen.count { lists.isClamped[$0] }
                        && (chosen.isEmpty || sums.clamped > 0))
            }
            #expect(found.sums == first ?? found.sums)
            first = found.sums
        }
    }

    @Test func `what is added counts inside the response, in the mask or not, and is rounded once`() throws {
        let views = drawnLogProbabilities(77, seed: 6)
        let response = (0..<77).map { UInt8($0 % 5 == 0 ? 0 : 1) }
        let mask = response.indices.map { response[$0] & UInt8($0 % 2) }
        let addend = (0..<77).map { Double($0) * 0.37 - 9 }
        let plain = contrasted(
            views, .k1, Clamps(), TokenShape(form: .margin), response: response, mask: mask)
        let wishes = TokenContrast.Wishes(
            gradients: Set(View.allCases), addends: PerView(original: nil, preserving: nil, removing: addend))
        for set in InstructionSet.available {
            let found = contrasted(
                views, .k1, Clamps(), TokenShape(form: .margin), instructionSet: set, response: response,
                mask: mask, wishes: wishes)
            #expect(found.gradients.original == plain.gradients.original)
            #expect(found.gradients.preserving == plain.gradients.preserving)
            // k1's slope for the removing view is 1, its weight ¼.
            let expected = (0..<77).map { token in
                response[token] == 0 ? 0 : Float((mask[token] == 1 ? 0.25 : 0) + addend[token])
            }
            #expect(found.gradients.removing == FloatList(expected))
        }
    }

    @Test func `without terms what is added is all there is`() {
        let views = drawnLogProbabilities(30, seed: 7)
        let addend = (0..<30).map { Double($0) }
        let found = contrasted(
            views, .k3, Clamps(), terms: [],
            wishes: TokenContrast.Wishes(
                loss: false, gradients: [.preserving],
                addends: PerView(original: nil, preserving: addend, removing: nil)))
        #expect(found.contrast == [Double](repeating: 0, count: 30))
        #expect(found.gradients.preserving == FloatList(addend.map { Float($0) }))
        #expect(found.gradients.original == nil)
    }

    @Test func `a view that no term names needs no log-probabilities`() {
        let views = drawnLogProbabilities(30, seed: 8)
        let terms = [Term(.original, .removing, weight: -1)]
        let contrast = TokenContrast(terms: terms, estimator: .k3, clamps: Clamps(), shape: TokenShape())
        let ones = [UInt8](repeating: 1, count: 30)
        let found = contrast.lists(
            PerView(
                original: TokenNumbers(views.original), preserving: nil,
                removing: TokenNumbers(views.removing)), responseMask: ones,
            mask: ones, sequences: .init(lengths: [30]), weights: [0.25],
            wishes: TokenContrast.Wishes(gradients: Set(View.allCases)))
        #expect(found.isSame(as: contrasted(views, .k3, Clamps(), terms: terms)))
        #expect(found.gradients.preserving == FloatList(zeros: 30))
    }
}
