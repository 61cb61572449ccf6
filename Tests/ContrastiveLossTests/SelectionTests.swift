import Batches
import ContrastiveLoss
import Perception
import Testing

@Suite("Selection of tokens")
struct SelectionTests {
    private let pair = ViewPair(anchor: .original, reference: .removing)

    private func loss(_ estimator: Estimator, _ detector: PerceptionDetector) -> PerceptionLoss {
        var loss = plainLoss(estimator)
        loss.detector = detector
        return loss
    }

    /// d = 1, −2, 0.5, 3.
    private var point: TokenBatch {
        batch(
            PerView(
                original: [-1, -3, -0.5, -1], preserving: [0, 0, 0, 0], removing: [-2, -1, -1, -4]))
    }

    @Test("A divergence ranks by the loss's own estimator and clamps")
    func divergence() throws {
        let detector = PerceptionDetector(method: .divergence, topKRatio: 0.5, ties: .first)
        let k1 = try loss(.k1, detector).select(in: point)
        #expect(k1.detection.score == [1, -2, 0.5, 3] && k1.mask == [1, 0, 0, 1])
        let abs = try loss(.abs, detector).select(in: point)
        #expect(abs.detection.score == [1, 2, 0.5, 3] && abs.mask == [0, 1, 0, 1])
        var clamped = loss(.abs, detector)
        clamped.clamps.result = 1
        let first = try clamped.select(in: point)
        #expect(first.detection.score == [1, 1, 0.5, 1] && first.mask == [1, 1, 0, 0])
        #expect(first.detection.deltaEntropy == nil && first.advantageScales == nil)
    }

    @Test("The policy that made the responses stands for the original where it is known")
    func old() throws {
        var point = point
        point.oldLogProbabilities = [-2, -1, -1, -4.25]
        point.logProbabilities.original = nil
        let detector = PerceptionDetector(method: .divergence, topKRatio: 1)
        #expect(try loss(.k1, detector).select(in: point).detection.score == [0, 0, 0, -0.25])
        var rising = detector
        rising.candidates = .rising
        point.oldLogProbabilities?[0] = -1.5
        #expect(try loss(.k1, rising).select(in: point).mask == [1, 0, 0, 0], "strictly")
    }

    @Test("Rising candidates are those whose log-probability falls without the image")
    func rising() throws {
        let detector = PerceptionDetector(
            method: .divergence, candidates: .rising, topKRatio: 0.5, quota: .ceil, ties: .first)
        let found = try loss(.abs, detector).select(in: point)
        #expect(found.detection.candidates == [1, 0, 1, 1] && found.mask == [1, 0, 0, 1])
    }

    @Test("Outside the response nothing is looked at")
    func response() throws {
        var point = point
        point.responseMask = [0, 1, 1, 0]
        point.logProbabilities.original?[0] = .nan
        point.logProbabilities.removing?[3] = -.infinity
        let detector = PerceptionDetector(method: .divergence, topKRatio: 1)
        let found = try loss(.k3, detector).select(in: point)
        #expect(found.mask == [0, 1, 1, 0] && found.detection.score?[0] == 0)
        #expect(found.detection.score?[3] == 0)
    }

    @Test("Over the vocabulary it ranks by what was read; an infinite one is refused")
    func vocabulary() throws {
        var point = point
        point.divergences = [0.1, 0.4, 0.3, 0.2].map { value in
            var values = PairValues()
            values[pair] = value
            values[ViewPair(anchor: .original, reference: .preserving)] = .infinity
            return values
        }
        let detector = PerceptionDetector(method: .divergence, topKRatio: 0.5, ties: .first)
        let found = try loss(.jeffreys, detector).select(in: point)
        #expect(found.detection.score == [0.1, 0.4, 0.3, 0.2] && found.mask == [0, 1, 1, 0])
        point.divergences?[2][pair] = .infinity
        #expect(throws: InfiniteDivergence(token: 2, pair: pair)) {
            try loss(.jeffreys, detector).select(in: point)
        }
        var clamped = loss(.jeffreys, detector)
        clamped.clamps.result = 10
        #expect(try clamped.select(in: point).detection.score == [0.1, 0.4, 10, 0.2])
        point.responseMask[2] = 0
        #expect(try loss(.jeffreys, detector).select(in: point).mask == [0, 1, 0, 0])
    }

    @Test("Loss is where the detector and the gate agree; the gate doesn't change what is detected")
    func gate() throws {
        var point = point
        point.perceptionMask = [1, 1, 0, 0]
        point.advantages = [-1, 2, 2, 2]
        point.rewards = [1, 0, 1, 1]
        var subject = loss(.k1, PerceptionDetector(method: .given))
        subject.gate = Gate()
        let found = try subject.select(in: point)
        #expect(found.detection.mask == [1, 1, 0, 0] && found.gate == [0, 1, 1, 1])
        #expect(found.mask == [0, 1, 0, 0])
        subject.gate = Gate(method: .reward)
        #expect(try subject.select(in: point).mask == [1, 0, 0, 0])
    }

    @Test("Advantages are scaled by the same estimates, whatever the detector")
    func scales() throws {
        var point = point
        point.sequences = Sequences(lengths: [1, 1, 2])
        for detector in [PerceptionDetector(method: .none), PerceptionDetector(method: .divergence)] {
            var subject = loss(.k1, detector)
            subject.advantageScaling = AdvantageScaling(floor: 0.5)
            let scales = try #require(try subject.select(in: point).advantageScales)
            #expect(scales.range?.minimum == -2 && scales.range?.maximum == 1.75)
            #expect(scales.values[1] == 0.5 && scales.values[2] > scales.values[0])
        }
    }
}
