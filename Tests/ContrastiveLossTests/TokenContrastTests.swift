import ContrastiveLoss
import Glibc
import Perception
import TestMaterial
import Testing
import TokenDistribution

private let clampings = [Clamps(), Clamps(result: 10), Clamps(input: 20, result: 10), Clamps(input: 0.5)]
private let estimators = [Estimator.k1, .abs, .k2, .k3]

/// Log-probabilities as models give them, nearly equal ones, and those where a clamp, an overflow or an underflow waits.
private func logProbabilities(_ count: Int, seed: UInt64) -> PerView<[Double]> {
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

private func lists(
    _ views: PerView<[Double]>, _ estimator: Estimator, _ clamps: Clamps,
    _ term: ContrastiveTerm = ContrastiveTerm(),
    instructionSet: InstructionSet = .inUse, lengths: [Int]? = nil, response: [UInt8]? = nil,
    mask: [UInt8]? = nil,
    stopping: Set<View> = []
) -> TokenContrast.Lists {
    let count = views.original.count
    let ones = [UInt8](repeating: 1, count: count)
    let rows = Rows(lengths: lengths ?? [count])
    return TokenContrast(
        estimator: estimator, clamps: clamps, term: term, stopGradient: stopping,
        instructionSet: instructionSet
    ).lists(
        views, responseMask: response ?? ones, mask: mask ?? ones, rows: rows,
        weights: [Double](repeating: 0.25, count: rows.count))
}

@Suite struct TokenContrastTests {
    @Test(arguments: estimators, clampings)
    func `every token agrees with its twin`(estimator: Estimator, clamps: Clamps) {
        let views = logProbabilities(3001, seed: 1)
        for term in [ContrastiveTerm(), ContrastiveTerm(tau: 1.7), ContrastiveTerm(form: .margin)] {
            let found = lists(views, estimator, clamps, term)
            for token in 0..<3001 {
                let (anchor, near, far) =
                    (views.original[token], views.preserving[token], views.removing[token])
                let twin = TokenTwin(estimator, clamps, term, anchor: anchor, near: near, far: far)
                // Two estimates are subtracted: their errors stand beside the larger, not beside the difference.
                let scale = max(
                    abs(estimator.estimate(anchor: anchor, reference: near, clamps: clamps).value),
                    abs(estimator.estimate(anchor: anchor, reference: far, clamps: clamps).value),
                    abs(anchor - near),
                    abs(anchor - far))
                let error = abs(found.margin[token] - twin.margin)
                #expect(error <= 6e-16 * scale || !twin.margin.isFinite, "token \(token)")
                #expect(found.isClamped[token] == twin.isClamped)
                // Of the same margin, the loss and its slope are exact to rounding.
                let same = TokenTwin(
                    .k1, Clamps(), term, anchor: 0, near: -found.margin[token], far: 0)
                if found.margin[token].isFinite {
                    #expect(abs(found.loss[token] - same.loss) <= 7e-16 * abs(same.loss) + 1e-307)
                }
                for view in View.allCases where twin.slopes[view].isFinite {
                    let expected = 0.25 * twin.slopes[view]
                    let slack = (1e-7 + 10 * error / term.tau) * abs(expected) + 1e-16
                    guard abs(expected) < 1e37 else { continue }
                    #expect(abs(Double(found.gradient[view][token]) - expected) <= slack, "\(view) \(token)")
                }
            }
        }
    }

    @Test(arguments: estimators, clampings)
    func `all instruction sets give the same bits`(estimator: Estimator, clamps: Clamps) {
        let views = logProbabilities(1003, seed: 2)
        let narrow = lists(views, estimator, clamps, instructionSet: .portable)
        for set in InstructionSet.available {
            #expect(isSame(lists(views, estimator, clamps, instructionSet: set), narrow))
        }
    }

    @Test func `where rows begin and end changes no bit`() {
        let views = logProbabilities(9000, seed: 3)
        let whole = lists(views, .k3, Clamps(result: 10))
        for lengths in [[1, 7, 0, 8, 4100, 9, 4875], [9000, 0], [4096, 4904]] {
            #expect(isSame(lists(views, .k3, Clamps(result: 10), lengths: lengths), whole))
        }
        #expect(lists(logProbabilities(0, seed: 1), .k1, Clamps(), lengths: []).loss == [])
    }

    @Test func `outside the response nothing is read and nothing comes out`() {
        var views = logProbabilities(40, seed: 4)
        let response = (0..<40).map { UInt8($0 % 3 == 0 ? 0 : 1) }
        for token in 0..<40 where response[token] == 0 {
            views.original[token] = [.nan, .infinity, -.infinity, 1e300][token % 4]
            views.removing[token] = .nan
        }
        for set in InstructionSet.available {
            let found = lists(
                views, .k3, Clamps(result: 1e-3), instructionSet: set, response: response, mask: response)
            for token in 0..<40 where response[token] == 0 {
                #expect(found.margin[token] == 0 && found.loss[token] == 0 && !found.isClamped[token])
                #expect(View.allCases.allSatisfy { found.gradient[$0][token] == 0 })
            }
            #expect(found.loss.allSatisfy(\.isFinite) && found.isClamped.contains(true))
        }
    }

    @Test func `gradients keep to the mask and stop where they are told to`() {
        let views = logProbabilities(50, seed: 5)
        let mask = (0..<50).map { UInt8($0 % 2) }
        let all = lists(views, .k2, Clamps())
        let found = lists(views, .k2, Clamps(), mask: mask, stopping: [.removing])
        #expect(found.loss == all.loss)
        #expect(found.gradient.removing == [Float](repeating: 0, count: 50))
        #expect(found.gradient.original == (0..<50).map { mask[$0] == 1 ? all.gradient.original[$0] : 0 })
        #expect(all.gradient.removing.contains { $0 != 0 })
    }

    @Test func `unclamped k3 overflows to infinity, which the reply refuses`() {
        let views = PerView(original: [-800.0, 0], preserving: [0.0, 0], removing: [-800.0, 0])
        let found = lists(views, .k3, Clamps())
        #expect(found.margin[0] == .infinity && found.loss[0] == .infinity && found.loss[1] == log(2))
    }

    private func isSame(_ one: TokenContrast.Lists, _ other: TokenContrast.Lists) -> Bool {
        one.margin.map(\.bitPattern) == other.margin.map(\.bitPattern)
            && one.loss.map(\.bitPattern) == other.loss.map(\.bitPattern) && one.isClamped == other.isClamped
            && View.allCases.allSatisfy {
                one.gradient[$0].map(\.bitPattern) == other.gradient[$0].map(\.bitPattern)
            }
    }
}
