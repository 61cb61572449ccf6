import JSON
import Perception

/// The options that select tokens, shared by /v1/score and /v1/mask.
let detectorOptions: [Option<PerceptionDetector>] = [
    .choice("detector", \.method),
    .choice("score", \.score),
    .number("epsilon", \.epsilon, from: 0, to: 1),
    .number("min_delta_entropy", \.minimumDeltaEntropy, from: 0),
    .choice("candidates", \.candidates),
    .number("top_k_ratio", \.topKRatio, above: 0, to: 1),
    .choice("quota", \.quota),
    .choice("scope", \.scope),
    .choice("ties", \.ties),
]

let gateOptions: [Option<Gate>] = [
    .choice("gate", \.method), .number("gate_threshold", \.threshold),
]

extension OptionAgreement {
    func check(_ detector: PerceptionDetector, _ gate: Gate, _ faults: inout Faults) {
        let method = "the detector is \(detector.method.rawValue)"
        check(["score", "epsilon", "min_delta_entropy"], act: detector.method == .entropy, method, &faults)
        check(["epsilon"], act: detector.score == .relative, "the score is absolute", &faults)
        check(["candidates"], act: detector.method == .divergence, method, &faults)
        check(["top_k_ratio", "quota", "scope", "ties"], act: detector.method.ranks, method, &faults)
        check(["gate_threshold"], act: gate.method != .none, "the gate is none", &faults)
    }
}

/// Returns the members of both lists. If both have a name, that of `over` counts.
func overlay(_ base: [JSONValue.Member], _ over: [JSONValue.Member]) -> [JSONValue.Member] {
    let names = Set(over.map(\.name))
    return base.filter { !names.contains($0.name) } + over
}
