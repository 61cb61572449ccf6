import Batches
import ContrastiveLoss
import Glibc
import Testing
import TokenDistribution

@Suite struct TokenContrastTests {
    @Test(arguments: sampledEstimators, clampings)
    func `every token agrees with its twin`(estimator: Estimator, clamps: Clamps) throws {
        let views = drawnLogProbabilities(1501, seed: 1)
        for terms in termLists {
            for shape in [TokenShape(), TokenShape(tau: 1.7), TokenShape(form: .margin)] {
                let found = contrasted(views, estimator, clamps, shape, terms: terms)
                for token in 0..<1501 {
                    let twin = TokenTwin(
                        terms, estimator, clamps, shape, PerView { views[$0][token] })
                    // Both of the symmetric's factors have errors.
                    let slack = (estimator == .symmetric ? 2e-15 : 6e-16) * twin.size
                    // Of two infinities the difference is no number.
                    let isEqual = found.contrast[token] == twin.contrast
                    let error = isEqual ? 0 : abs(found.contrast[token] - twin.contrast)
                    #expect(error <= slack || !twin.contrast.isFinite, "token \(token)")
                    #expect(found.isClamped[token] == twin.isClamped)
                    // Of the same contrast, the loss is exact to rounding.
                    if found.contrast[token].isFinite {
                        let same = TokenTwin.shaped(found.contrast[token], shape).value
                        #expect(abs(found.loss[token] - same) <= 7e-16 * abs(same) + 1e-307)
                    }
                    for view in View.allCases {
                        let expected = 0.25 * twin.slopes[view]
                        guard expected.isFinite, abs(expected) < 1e37 else { continue }
                        let slack =
                            (1e-7 + 10 * error / shape.tau) * abs(expected) + 1e-15 * twin.slopeSize + 1e-16
                        let gradient = try #require(found.gradients[view])[token]
                        #expect(abs(Double(gradient) - expected) <= slack, "\(view) \(token)")
                    }
                }
            }
        }
    }

    @Test(arguments: sampledEstimators, clampings)
    func `all instruction sets give the same bits`(estimator: Estimator, clamps: Clamps) {
        let views = drawnLogProbabilities(1003, seed: 2)
        let wishes = TokenContrast.Wishes(
            gradients: Set(View.allCases),
            addends: PerView(original: views.removing, preserving: nil, removing: nil))
        for terms in termLists {
            let narrow = contrasted(
                views, estimator, clamps, terms: terms, instructionSet: .portable, wishes: wishes)
            for set in InstructionSet.available {
                let found = contrasted(
                    views, estimator, clamps, terms: terms, instructionSet: set, wishes: wishes)
                #expect(found.isSame(as: narrow))
            }
        }
    }

    @Test(arguments: termLists)
    func `where sequences begin and end changes no bit`(terms: [Term]) {
        let views = drawnLogProbabilities(9000, seed: 3)
        let whole = contrasted(views, .k3, Clamps(result: 10), terms: terms)
        for lengths in [[1, 7, 0, 8, 4100, 9, 4875], [9000, 0], [4096, 4904]] {
            let cut = contrasted(views, .k3, Clamps(result: 10), terms: terms, lengths: lengths)
            #expect(cut.isSame(as: whole))
        }
        #expect(contrasted(drawnLogProbabilities(0, seed: 1), .k1, Clamps(), lengths: []).loss == [])
    }

    @Test(arguments: [Estimator.k3, .symmetric])
    func `without clamps they overflow to infinity, which the reply refuses`(estimator: Estimator) {
        let views = PerView(original: [-800.0, 0], preserving: [0.0, 0], removing: [-800.0, 0])
        let found = contrasted(views, estimator, Clamps())
        #expect(found.contrast[0] == .infinity && found.loss[0] == .infinity && found.loss[1] == log(2))
    }

    @Test func `at exactly a limit the gradient passes, beyond it doesn't`() throws {
        let views = PerView(
            original: [0, 0, 0, 0], preserving: [-0.5, -(0.5.nextDown), 0.5, 0.5.nextUp],
            removing: [0, 0, 0, 0])
        for clamps in [Clamps(input: 0.5), Clamps(result: 0.5)] {
            let found = contrasted(views, .k1, clamps, TokenShape(form: .margin))
            #expect(found.gradients.preserving == [-0.25, -0.25, -0.25, 0])
            #expect(found.isClamped == [false, false, false, true])
            #expect(found.contrast == [0.5, 0.5.nextDown, -0.5, -0.5])
        }
    }

    @Test func `an even estimate doesn't tell its views apart`() {
        let views = drawnLogProbabilities(600, seed: 9)
        for estimator in [Estimator.abs, .k2, .symmetric] {
            let one = contrasted(views, estimator, Clamps(), terms: [Term(.original, .removing, weight: 1)])
            let other = contrasted(views, estimator, Clamps(), terms: [Term(.removing, .original, weight: 1)])
            #expect(one.isSame(as: other), "\(estimator)")
        }
    }
}
