import ContrastiveLoss

/// The options that scale advantages. The numbers are kept even if scaling is off, so that they can be checked and
/// echoed.
struct AdvantageShaping: Sendable, Equatable {
    enum Method: String, Sendable, CaseIterable {
        case none
        /// Scales each response's advantage by the response's dependency on the image.
        case dependency
    }

    var method = Method.none
    var scaling = AdvantageScaling()

    init(_ preset: Preset) {
        guard let scaling = preset.loss.advantageScaling else { return }
        method = .dependency
        self.scaling = scaling
    }

    var inEffect: AdvantageScaling? { method == .dependency ? scaling : nil }
}

let shapingOptions: [Option<AdvantageShaping>] = [
    .choice("advantage_shaping", \.method),
    .number("advantage_floor", \.scaling.floor, from: 0, to: 1),
    .optional("dependency_min", \.scaling.minimum),
    .optional("dependency_max", \.scaling.maximum),
    .optional("dependency_mean", \.scaling.mean, NumberRange(from: 0, to: 1)),
]

extension OptionAgreement {
    func check(_ shaping: AdvantageShaping, _ estimator: Estimator, _ faults: inout Faults) {
        check(
            ["advantage_floor", "dependency_min", "dependency_max", "dependency_mean"],
            act: shaping.method == .dependency, "advantage_shaping is none", &faults)
        if let minimum = shaping.scaling.minimum, let maximum = shaping.scaling.maximum, minimum > maximum {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "above dependency_max", field: "dependency_min", expected: "at most \(maximum)",
                    found: "\(minimum)"))
        }
        if estimator.needsVocabulary, shaping.method == .dependency {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "dependency is an estimate from the realised token, which \(estimator.rawValue) is not",
                    field: "advantage_shaping"))
        }
    }
}
