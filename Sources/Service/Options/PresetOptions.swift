import ContrastiveLoss
import JSON
import Perception

/// Options with defaults from a preset.
protocol PresetOptions {
    var preset: Preset { get }
    var loss: PerceptionLoss { get set }
    /// Applies the values of the preset.
    mutating func applyPreset()
}

extension OptionTable where Target: PresetOptions {
    /// Resolves the preset first, then its limits for the estimator and the gate's threshold, then every given option.
    func resolve(_ given: [JSONValue.Member], _ target: inout Target, _ faults: inout Faults) {
        apply(given.filter { $0.name == "preset" }, to: &target, &faults)
        target.applyPreset()
        apply(given.filter { $0.name == "estimator" }, to: &target, &faults)
        target.loss.clamps = target.preset.clamps(for: target.loss.estimator)
        let presetGate = target.loss.gate.method
        apply(given.filter { $0.name == "gate" }, to: &target, &faults)
        let method = target.loss.gate.method
        if method != presetGate { target.loss.gate.threshold = method.standardThreshold }
        let done = ["preset", "estimator", "gate"]
        apply(given.filter { !done.contains($0.name) }, to: &target, &faults)
    }
}
