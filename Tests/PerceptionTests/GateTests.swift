import Batches
import Perception
import Testing

@Suite("Gates")
struct GateTests {
    @Test func `a positive advantage is strict and keeps to the response`() {
        #expect(
            Gate().open(advantages: [0, 1e-300, -1, 2], rewards: nil, responseMask: [1, 1, 1, 0])
                == [0, 1, 0, 0])
        #expect(
            Gate(threshold: 0.5).open(advantages: [0.5, 0.6], rewards: nil, responseMask: [1, 1]) == [0, 1])
    }

    @Test func `a reward at the threshold passes, and advantages have no say`() {
        let gate = Gate(method: .reward)
        #expect(
            gate.open(
                advantages: [-1, -1, 1, -1], rewards: [0.5, 0.5.nextDown, 0, 1], responseMask: [1, 1, 1, 0])
                == [1, 0, 0, 0])
        #expect(
            Gate(method: .reward, threshold: -1).open(
                advantages: nil, rewards: [-1, -1.5], responseMask: [1, 1]) == [1, 0])
    }

    @Test func `a gate that is off lets the response pass`() {
        #expect(Gate(method: .none).open(advantages: nil, rewards: nil, responseMask: [1, 0]) == [1, 0])
    }

    @Test func `each method has a threshold of its own`() {
        #expect(Gate().threshold == 0 && Gate().method == .positiveAdvantage)
        #expect(Gate(method: .reward).threshold == 0.5 && Gate(method: .none).threshold == 0)
        #expect(Gate(method: .reward, threshold: 0).threshold == 0)
    }
}
