import ContrastiveLoss
import JSON
import Perception

/// The tensors that a reply can hold; the words of `return`.
enum ScoreOutput: String, Sendable, CaseIterable {
    case perceptionMask = "perception_mask"
    case gate
    case mask
    case deltaEntropy = "delta_entropy"
    case perceptionScore = "perception_score"
    case tokenLoss = "token_loss"
    case gradientOriginalLogProbs = "grad.original.log_probs"
    case gradientPreservingLogProbs = "grad.preserving.log_probs"
    case gradientRemovingLogProbs = "grad.removing.log_probs"
    case gradientRows = "grad.rows"
    case gradientOriginalLogits = "grad.original.logits"
    case gradientPreservingLogits = "grad.preserving.logits"
    case gradientRemovingLogits = "grad.removing.logits"

    static let selection: Set<ScoreOutput> = [.perceptionMask, .gate, .mask]
    static let entropy: Set<ScoreOutput> = [.deltaEntropy, .perceptionScore]
    static let gradients = allCases.filter { $0.rawValue.hasPrefix("grad.") }

    static func gradient(of view: View, logits: Bool) -> ScoreOutput {
        switch view {
        case .original: logits ? .gradientOriginalLogits : .gradientOriginalLogProbs
        case .preserving: logits ? .gradientPreservingLogits : .gradientPreservingLogProbs
        case .removing: logits ? .gradientRemovingLogits : .gradientRemovingLogProbs
        }
    }
}

/// All options of /v1/score, resolved.
struct ScoreOptions: Sendable {
    var preset = Preset.standard
    var loss = Preset.standard.loss
    var temperature = 1.0
    /// The tensors to return: all that the request produces until some are named.
    var returned: Set<ScoreOutput> = []

    static let table = OptionTable<ScoreOptions>(
        options: [.choice("preset", \.preset)] + detectorOptions.map { $0.lifted(\.loss.detector) }
            + gateOptions.map { $0.lifted(\.loss.gate) } + [
                .choice("estimator", \.loss.estimator, aliases: ["low_var_kl": .k3]),
                .limit("clamp_input", \.loss.clamps.input),
                .limit("clamp_result", \.loss.clamps.result),
                .choice("loss", \.loss.term.form),
                .number("tau", \.loss.term.tau, above: 0),
                .number("coefficient", \.loss.coefficient),
                .choice("aggregation", \.loss.aggregation.mode),
                .limit("norm_length", \.loss.aggregation.normLength),
                .count("global_batch_size", \.loss.aggregation.globalBatchSize, to: 1_000_000_000),
                .set("stop_gradient", \.loss.stopGradient),
                .number("temperature", \.temperature, from: 1e-4, to: 1e4),
                .number("grad_scale", \.loss.gradientScale),
                .set("return", \.returned, groups: ["grad": ScoreOutput.gradients]),
            ])

    /// Resolves a body's options and a query's, which win: the preset first, then the estimator's limits under it, then
    /// every option that was given.
    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        let given = overlay(body, query)
        let table = ScoreOptions.table
        table.apply(given.filter { $0.name == "preset" }, to: &self, &faults)
        loss = preset.loss
        table.apply(given.filter { $0.name == "estimator" }, to: &self, &faults)
        loss.clamps = preset.clamps(for: loss.estimator)
        table.apply(given.filter { !["preset", "estimator"].contains($0.name) }, to: &self, &faults)
        checkAgreement(given, &faults)
    }

    /// Options that contradict each other, and tensors asked for that this request does not produce.
    private mutating func checkAgreement(_ given: [JSONValue.Member], _ faults: inout Faults) {
        if loss.estimator.needsVocabulary, loss.clamps.input != nil {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "there is no log-ratio to clamp with \(loss.estimator.rawValue)", field: "clamp_input"))
        }
        var produced: Set<ScoreOutput> = ScoreOutput.selection.union([.tokenLoss])
        if loss.detector.method == .entropy { produced.formUnion(ScoreOutput.entropy) }
        for view in View.allCases {
            produced.insert(.gradient(of: view, logits: loss.estimator.needsVocabulary))
        }
        if loss.estimator.needsVocabulary { produced.insert(.gradientRows) }
        guard let wanted = given.first(where: { $0.name == "return" })?.value.array else {
            returned = produced
            return
        }
        // `grad` names whichever gradients there are; a gradient named by itself must exist.
        let words = wanted.compactMap(\.string).compactMap(ScoreOutput.init)
        // Of estimators that look at the realised token, gradients of logits are made for whoever names them.
        let ofLogits = View.allCases.map { ScoreOutput.gradient(of: $0, logits: true) }
        let named = words.filter { ofLogits.contains($0) }
        if !named.isEmpty {
            produced.formUnion(named + [.gradientRows])
            // Without them nobody knows whose gradients these are.
            returned.insert(.gradientRows)
        }
        for word in words where !produced.contains(word) {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "estimator \(loss.estimator.rawValue) with detector \(loss.detector.method.rawValue) does not yield it",
                    field: "return", found: word.rawValue))
        }
        returned.formIntersection(produced)
    }

    init(preset: Preset) {
        self.preset = preset
        self.loss = preset.loss
        var faults = Faults()
        checkAgreement([], &faults)
    }

    /// The views whose logits' gradients are returned.
    var gradientViews: Set<View> {
        Set(View.allCases.filter { returned.contains(.gradient(of: $0, logits: true)) })
    }
}

/// Which tokens: shared by /v1/score and /v1/mask.
let detectorOptions: [Option<PerceptionDetector>] = [
    .choice("detector", \.method),
    .choice("score", \.score),
    .number("epsilon", \.epsilon, from: 0, to: 1),
    .number("min_delta_entropy", \.minimumDeltaEntropy, from: 0),
    .number("top_k_ratio", \.topKRatio, above: 0, to: 1),
    .choice("quota", \.quota),
    .choice("scope", \.scope),
    .choice("ties", \.ties),
]

let gateOptions: [Option<AdvantageGate>] = [
    .choice("gate", \.method), .number("gate_threshold", \.threshold),
]

/// The members of both lists; where both have a name, that of `over`.
func overlay(_ base: [JSONValue.Member], _ over: [JSONValue.Member]) -> [JSONValue.Member] {
    let names = Set(over.map(\.name))
    return base.filter { !names.contains($0.name) } + over
}
