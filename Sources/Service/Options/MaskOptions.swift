import ContrastiveLoss
import JSON
import Perception

/// All options of /v1/mask, resolved.
struct MaskOptions: Sendable, PresetOptions {
    /// The tensors that a reply can contain. They are not a subset of ``ScoreOutput``, so that the compiler checks that the
    /// endpoint answers each of them and no other.
    enum Output: String, Sendable, CaseIterable {
        case perceptionMask = "perception_mask"
        case gate
        case mask
        case deltaEntropy = "delta_entropy"
        case perceptionScore = "perception_score"
        case originalEntropyLower = "original.entropy_lower"
        case originalEntropyUpper = "original.entropy_upper"
        case removingEntropyLower = "removing.entropy_lower"
        case removingEntropyUpper = "removing.entropy_upper"
        case advantageScale = "advantage_scale"

        static let bounds: Set<Output> = [
            .originalEntropyLower, .originalEntropyUpper, .removingEntropyLower, .removingEntropyUpper,
        ]
    }

    var preset = Preset.standard
    /// A loss without terms. Only its selection is used.
    var loss = MaskOptions.selecting(.standard)
    var shaping = AdvantageShaping(.standard)
    var bounds = EntropyBoundOptions()
    var returned: Set<Output> = []
    /// Whether the request names no tensors, so that the reply returns all, including bounds of entropies if they were
    /// computed.
    private(set) var returnsAll = true

    static let table = OptionTable<MaskOptions>(
        options: [.choice("preset", \.preset)] + detectorOptions.map { $0.lifted(\.loss.detector) }
            + gateOptions.map { $0.lifted(\.loss.gate) } + estimatorOptions.map { $0.lifted(\.loss) }
            + shapingOptions.map { $0.lifted(\.shaping) } + entropyBoundOptions.map { $0.lifted(\.bounds) }
            + [.set("return", \.returned, groups: ["all": Output.allCases])])

    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        let given = overlay(body, query)
        MaskOptions.table.resolve(given, &self, &faults)
        loss.advantageScaling = shaping.inEffect
        let agreement = OptionAgreement(
            table: MaskOptions.table, given: given, resolved: self,
            standards: [MaskOptions(preset: .standard), MaskOptions(preset: preset)])
        agreement.check(loss.detector, loss.gate, &faults)
        agreement.checkEstimator(loss, &faults)
        agreement.check(shaping, loss.estimator, &faults)
        if loss.detector.method == .divergence, loss.estimator.needsVocabulary {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "it needs logits, which only /v1/score accepts", field: "estimator",
                    found: loss.estimator.rawValue))
        }
        var produced: Set<Output> = [.perceptionMask, .gate, .mask]
        if loss.detector.method == .entropy { produced.insert(.deltaEntropy) }
        if loss.detector.method.ranks { produced.insert(.perceptionScore) }
        if shaping.method == .dependency { produced.insert(.advantageScale) }
        returnsAll = !given.contains { $0.name == "return" } || returned == Set(Output.allCases)
        let bounds = loss.detector.method == .entropy ? Output.bounds : []
        returned = returnsAll ? produced : returned.intersection(produced.union(bounds))
    }

    private init(preset: Preset) {
        self.preset = preset
        applyPreset()
    }

    mutating func applyPreset() {
        loss = MaskOptions.selecting(preset)
        shaping = AdvantageShaping(preset)
    }

    private static func selecting(_ preset: Preset) -> PerceptionLoss {
        var loss = preset.loss
        loss.terms = []
        loss.entropyCoefficients = PerView(repeating: 0)
        return loss
    }
}
