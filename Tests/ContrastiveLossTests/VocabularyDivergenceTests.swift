import ContrastiveLoss
import Testing

let vocabularyEstimators = Estimator.allCases.filter(\.needsVocabulary)

@Suite("Losses of divergences")
struct VocabularyDivergenceTests {
    private static let toPreserving = ViewPair(anchor: .original, reference: .preserving)
    private static let toRemoving = ViewPair(anchor: .original, reference: .removing)

    private func given(_ pairs: [(Double, Double)]) -> [PairValues] {
        pairs.map { preserving, removing in
            var values = PairValues()
            values[VocabularyDivergenceTests.toPreserving] = preserving
            values[VocabularyDivergenceTests.toRemoving] = removing
            return values
        }
    }

    private func report(_ loss: PerceptionLoss, _ divergences: [PairValues]) throws -> LossReport {
        var batch = SmallLogitBatch().batch
        batch.divergences = divergences
        return try loss.report(batch)
    }

    private func slopes(_ report: LossReport) throws -> [PairValues] {
        try #require(report.gradients.divergences)
    }

    @Test("Without logits the gradients are those of the divergences", arguments: vocabularyEstimators)
    func ofDivergences(_ estimator: Estimator) throws {
        let subject = undetectedLoss(estimator)
        let point = given([(0.5, 0.4), (0.1, 0.3), (.nan, .infinity), (0.2, 0.1)])
        let slopes = try slopes(report(subject, point))
        let (near, far) = (VocabularyDivergenceTests.toPreserving, VocabularyDivergenceTests.toRemoving)
        let step = 1e-6
        for token in [0, 1, 3] {
            var (up, down) = (point, point)
            up[token][near] += step
            down[token][near] -= step
            let slope =
                try (report(subject, up).aggregated.loss - report(subject, down).aggregated.loss)
                / (2 * step)
            #expect(abs(slopes[token][near] - slope) <= 1e-8)
            #expect(slopes[token][far] == -slopes[token][near], "they enter by their difference")
        }
        #expect(slopes[0][near] > 0 && slopes[3] == PairValues() && slopes[2] == PairValues())
    }

    @Test("Terms of the same pair add up, others stay apart")
    func terms() throws {
        let (near, far) = (VocabularyDivergenceTests.toPreserving, VocabularyDivergenceTests.toRemoving)
        var subject = undetectedLoss(
            .jsd,
            terms: [
                Term(.original, .preserving, weight: 0.5), Term(.original, .removing, weight: -2),
                Term(.original, .preserving, weight: 3),
            ])
        subject.shape = TokenShape(form: .margin)
        let found = try report(subject, given([(0.5, 0.25), (0, 0), (0, 0), (0, 0)]))
        #expect(found.contrast[0] == 3.5 * 0.5 - 2 * 0.25 && found.tokenLoss[0] == found.contrast[0])
        let slopes = try slopes(found)[0]
        // One of one token in one of two rows.
        #expect(abs(slopes[near] - 1.75) < 1e-7 && abs(slopes[far] + 1) < 1e-7)
        #expect(ViewPair.all.filter { slopes[$0] != 0 } == [near, far])
    }

    @Test("The objective's coefficient and the gradients' scale multiply them")
    func scaled() throws {
        var subject = undetectedLoss(.fullKL)
        let point = given([(0.5, 0.4), (0.1, 0.3), (0, 0), (0.2, 0.1)])
        let near = VocabularyDivergenceTests.toPreserving
        let bare = try slopes(report(subject, point))[0][near]
        subject.gradientScale = 3
        subject.coefficient = 0.5
        #expect(try abs(slopes(report(subject, point))[0][near] - 3 * bare) < 1e-15)
        subject.gradientOf = .objective
        #expect(try abs(slopes(report(subject, point))[0][near] - 1.5 * bare) < 1e-15)
    }

    @Test("An infinite divergence is refused with its token and pair, unless a clamp holds it")
    func infinite() throws {
        let (near, far) = (VocabularyDivergenceTests.toPreserving, VocabularyDivergenceTests.toRemoving)
        var point = given([(0.5, 0.4), (0.1, 0.3), (.infinity, 0), (0.2, .infinity)])
        #expect(throws: InfiniteDivergence(token: 3, pair: far)) {
            try report(undetectedLoss(.fullKL), point)
        }
        // A pair that no term names may be anything.
        let other = undetectedLoss(.fullKL, terms: [Term(.original, .preserving, weight: 1)])
        #expect(try report(other, point).contrast == [0.5, 0.1, 0, 0.2])
        point[1][near] = .infinity
        #expect(throws: InfiniteDivergence(token: 1, pair: near)) {
            try report(undetectedLoss(.fullKL), point)
        }
        var clamped = undetectedLoss(.fullKL)
        clamped.clamps.result = 10
        let found = try report(clamped, point)
        #expect(found.contrast[1] == 10 - 0.3 && found.isClamped == [false, true, false, true])
        #expect(try slopes(found)[1][near] == 0 && slopes(found)[1][far] < 0)
    }
}
