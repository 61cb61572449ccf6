import Batches
import Perception
import Testing

@Suite("Detectors by divergence, by a given mask, by nothing")
struct DivergenceDetectorTests {
    let scores = [0.5, -0.25, 0, 3, 0.5, 9, -2, 0.5]
    let response: [UInt8] = [1, 1, 1, 1, 1, 0, 1, 1]

    private func chosen(_ detector: PerceptionDetector, rising: [UInt8]? = nil, sequences: [Int] = [8])
        -> [Int]
    {
        let found = detector.detect(
            .divergences(scores, isRising: rising), responseMask: response,
            sequences: Sequences(lengths: sequences))
        return found.mask.indices.filter { found.mask[$0] == 1 }
    }

    @Test("The farthest response tokens are chosen, however near they are")
    func all() {
        // Seven candidates: token 5 is no response.
        #expect(chosen(PerceptionDetector(method: .divergence, topKRatio: 0.2)) == [3])
        #expect(chosen(PerceptionDetector(method: .divergence, topKRatio: 0.6)) == [0, 3, 4, 7])
        #expect(
            chosen(PerceptionDetector(method: .divergence, topKRatio: 1)) == [0, 1, 2, 3, 4, 6, 7],
            "scores of 0 and below count too")
    }

    @Test("Of equal scores the first win, or all do")
    func ties() {
        let detector = PerceptionDetector(method: .divergence, topKRatio: 0.3, ties: .first)
        #expect(chosen(detector) == [0, 3])
        var every = detector
        every.ties = .all
        #expect(chosen(every) == [0, 3, 4, 7])
    }

    @Test("Rising candidates are those of the response that rise; the quota is of their number")
    func rising() {
        let rising: [UInt8] = [1, 0, 0, 0, 1, 1, 1, 0]
        let detector = PerceptionDetector(
            method: .divergence, candidates: .rising, topKRatio: 0.5, quota: .ceil, ties: .first)
        #expect(chosen(detector, rising: rising) == [0, 4])
        let found = detector.detect(
            .divergences(scores, isRising: rising), responseMask: response, sequences: Sequences(lengths: [8])
        )
        #expect(found.candidates == [1, 0, 0, 0, 1, 0, 1, 0])
        #expect(found.score == scores && found.deltaEntropy == nil)
        #expect(chosen(detector, rising: [UInt8](repeating: 0, count: 8)) == [])
    }

    @Test("Each sequence, or each turn, has a quota of its own")
    func scopes() {
        let detector = PerceptionDetector(method: .divergence, topKRatio: 0.5, quota: .ceil, ties: .first)
        #expect(chosen(detector, sequences: [3, 0, 5]) == [0, 2, 3, 4])
        var turns = detector
        turns.scope = .segment
        // Turns: 0 to 4, and 6 to 7.
        #expect(chosen(turns) == [0, 3, 4, 7])
    }

    @Test("A given mask is kept within the response")
    func given() {
        let found = PerceptionDetector(method: .given).detect(
            .mask([1, 0, 1, 0, 1, 1, 0, 0]), responseMask: response, sequences: Sequences(lengths: [8]))
        #expect(found.mask == [1, 0, 1, 0, 1, 0, 0, 0] && found.candidates == found.mask)
        #expect(found.score == nil && found.deltaEntropy == nil)
    }

    @Test("Without a detector the response is chosen")
    func none() {
        let found = PerceptionDetector(method: .none).detect(
            .none, responseMask: response, sequences: Sequences(lengths: [8]))
        #expect(found.mask == response && found.candidates == response)
        #expect(found.score == nil && found.deltaEntropy == nil)
    }

    @Test("Those that rank are the ones with a score")
    func ranking() {
        #expect(PerceptionDetector.Method.allCases.filter(\.ranks) == [.entropy, .divergence])
    }
}
