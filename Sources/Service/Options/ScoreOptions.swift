import ContrastiveLoss
import JSON
import Perception
import PolicyObjective
import TokenDistribution

/// All options of /v1/score, resolved.
struct ScoreOptions: Sendable, Equatable, PresetOptions {
    var preset = Preset.standard
    var loss = Preset.standard.loss
    var shaping = AdvantageShaping(.standard)
    var policy = PolicyOptions(.standard)
    var bounds = EntropyBoundOptions()
    var temperature = 1.0
    /// Of gradients.
    var resultType = ResultType.float32
    /// The tensors to return; by default all that the options yield.
    var returned: Set<ScoreOutput> = []
    /// The tensors that the request names individually.
    private(set) var named: Set<ScoreOutput> = []
    /// Whether the request names none or `all`, so that the reply returns all, including bounds of entropies if they
    /// were computed.
    private(set) var returnsAll = true

    static let table = OptionTable<ScoreOptions>(
        options: [.choice("preset", \.preset)] + detectorOptions.map { $0.lifted(\.loss.detector) }
            + gateOptions.map { $0.lifted(\.loss.gate) } + lossOptions.map { $0.lifted(\.loss) }
            + shapingOptions.map { $0.lifted(\.shaping) } + policyOptions.map { $0.lifted(\.policy) }
            + entropyBoundOptions.map { $0.lifted(\.bounds) } + [
                .number("temperature", \.temperature, from: 1e-4, to: 1e4),
                .choice("gradient_of", \.loss.gradientOf),
                .number("grad_scale", \.loss.gradientScale),
                .choice("result_type", \.resultType),
                .set("return", \.returned, groups: ScoreOutput.groups.merging(["all": []]) { $1 }),
            ])

    /// Resolves the options of a body and of a query, which take precedence.
    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        let given = overlay(body, query)
        let isKept = faults.isEmpty && given.allSatisfy(\.value.isBrief)
        if isKept, let known = ScoreOptions.resolved[given] {
            self = known
            return
        }
        ScoreOptions.table.resolve(given, &self, &faults)
        settle(isTargetGiven: given.contains { $0.name == "gradient_of" && $0.value != .null })
        checkAgreement(given, &faults)
        resolveOutputs(given, &faults)
        if isKept, faults.isEmpty { ScoreOptions.resolved.keep(self, of: given) }
    }

    /// Resolved options by the members of the request. Only valid ones are kept.
    private static let resolved = RecentResults<[JSONValue.Member], ScoreOptions>()
    private static let echoes = RecentResults<ScoreOptions, JSONValue>()

    /// The options as the reply echoes them.
    var echo: JSONValue {
        if let known = ScoreOptions.echoes[self] { return known }
        let echo = ScoreOptions.table.echo(self)
        ScoreOptions.echoes.keep(echo, of: self)
        return echo
    }

    init(preset: Preset) {
        self.init(resolving: preset)
        returned = produced
    }

    /// The options of a preset, without the returned tensors.
    private init(resolving preset: Preset) {
        self.preset = preset
        applyPreset()
        settle(isTargetGiven: false)
    }

    mutating func applyPreset() {
        loss = preset.loss
        shaping = AdvantageShaping(preset)
        policy = PolicyOptions(preset)
    }

    /// Derives settings that follow from several options together.
    private mutating func settle(isTargetGiven: Bool) {
        loss.advantageScaling = shaping.inEffect
        let hasComponents = !loss.entropyViews.isEmpty || policy.method == .ppo || policy.kl.coefficient != 0
        if !isTargetGiven { loss.gradientOf = hasComponents ? .objective : .loss }
    }

    /// Refuses options that contradict each other or have no effect.
    private func checkAgreement(_ given: [JSONValue.Member], _ faults: inout Faults) {
        let agreement = OptionAgreement(
            table: ScoreOptions.table, given: given, resolved: self,
            standards: [ScoreOptions(resolving: .standard), ScoreOptions(resolving: preset)])
        agreement.check(loss.detector, loss.gate, &faults)
        agreement.check(loss, policyMode: policy.aggregation, &faults)
        agreement.check(policy, &faults)
        agreement.check(
            ["stop_gradient"], act: loss.stopGradient.isSubset(of: needs().gradients),
            "a stopped view has no gradient anyway", &faults)
        agreement.check(
            ["grad_scale", "result_type"], act: !needs().gradients.isEmpty, "there are no gradients", &faults)
        agreement.check(shaping, loss.estimator, &faults)
    }

    /// Determines the tensors that the options yield, and those to return.
    private mutating func resolveOutputs(_ given: [JSONValue.Member], _ faults: inout Faults) {
        let words = given.first { $0.name == "return" }?.value.array?.compactMap(\.string)
        guard let words else {
            returned = produced
            return
        }
        returnsAll = words.contains("all")
        // `grad` and `weights` name all that exist. A tensor that is named individually must exist.
        named = Set(words.compactMap(ScoreOutput.init))
        var possible = produced.union(onRequest)
        let ofLogits = Set(View.allCases.map { ScoreOutput.gradient(of: $0, logits: true) })
        let hasLogits = loss.estimator.needsVocabulary || !named.isDisjoint(with: ofLogits)
        if !hasLogits { possible.remove(.gradientRows) }
        // Without them the gradients could not be matched to tokens.
        if !named.isDisjoint(with: ofLogits) { returned.insert(.gradientRows) }
        for word in ScoreOutput.allCases where named.contains(word) && !possible.contains(word) {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "these options do not yield it: estimator \(loss.estimator.rawValue), detector "
                        + "\(loss.detector.method.rawValue), \(loss.terms.count) terms, gradients of the "
                        + loss.gradientOf.rawValue,
                    field: "return", found: word.rawValue))
        }
        // For estimators on realised tokens, gradients of logits are computed only if they are named.
        let silent = loss.estimator.needsVocabulary ? [] : ofLogits.subtracting(named)
        returned = returned.intersection(possible).subtracting(silent)
        // These tensors may also be named together with `all`.
        if returnsAll { returned.formUnion(produced) }
    }

    /// Returns the tensors that the computation needs, and the views with gradients.
    /// - Parameters: the log-probabilities that a request has in addition to those of the views; by default as the
    ///   options imply.
    func needs(hasOld: Bool = false, hasReference: Bool? = nil) -> Needs {
        var needs = loss.needs(hasOld: hasOld)
        let hasReference = hasReference ?? (policy.kl.coefficient != 0)
        guard policy.method == .ppo || hasReference else { return needs }
        needs.logProbabilities.insert(.original)
        let learns = policy.method == .ppo || policy.kl.coefficient != 0
        if learns, loss.gradientOf == .objective { needs.gradients.insert(.original) }
        return needs
    }

    /// The tensors that these options yield unless others are named.
    private var produced: Set<ScoreOutput> {
        var produced = ScoreOutput.selection
        if !loss.terms.isEmpty { produced.insert(.tokenLoss) }
        if loss.detector.method == .entropy { produced.insert(.deltaEntropy) }
        if loss.detector.method.ranks { produced.insert(.perceptionScore) }
        if shaping.method == .dependency { produced.insert(.advantageScale) }
        let needs = needs()
        for view in needs.gradients {
            // Over the vocabulary, given log-probabilities of a view have gradients of their own.
            if !loss.estimator.needsVocabulary || needs.logProbabilities.contains(view) {
                produced.insert(.gradient(of: view, logits: false))
            }
            if loss.estimator.needsVocabulary { produced.insert(.gradient(of: view, logits: true)) }
        }
        if loss.estimator.needsVocabulary, !needs.gradients.isEmpty { produced.insert(.gradientRows) }
        return produced
    }

    /// The tensors that are computed only if they are named.
    private var onRequest: Set<ScoreOutput> {
        var outputs: Set<ScoreOutput> = loss.terms.isEmpty ? [] : [.tokenReward]
        if loss.detector.method == .entropy { outputs.formUnion(ScoreOutput.bounds) }
        for view in needs().gradients {
            if produced.contains(.gradient(of: view, logits: false)) { outputs.insert(.weights(of: view)) }
            outputs.formUnion([.gradient(of: view, logits: true), .gradientRows])
        }
        return outputs
    }

    /// The results of the detection that the reply contains.
    var detectionWishes: DetectionWishes {
        DetectionWishes(
            deltaEntropy: returned.contains(.deltaEntropy), score: returned.contains(.perceptionScore))
    }

    /// The per-token results that these outputs need.
    var wishes: ReportWishes {
        ReportWishes(
            contrast: returned.contains(.tokenReward), isClamped: false,
            tokenLoss: returned.contains(.tokenLoss) ? .floats : .none,
            gradients: gradientViews.isEmpty
                ? Set(
                    View.allCases.filter {
                        !returned.isDisjoint(with: [.gradient(of: $0, logits: false), .weights(of: $0)])
                    })
                : Set(View.allCases))
    }

    /// The views whose logits' gradients are returned.
    var gradientViews: Set<View> {
        Set(View.allCases.filter { returned.contains(.gradient(of: $0, logits: true)) })
    }
}

extension JSONValue {
    /// A Boolean value indicating whether the value is short enough to be remembered.
    fileprivate var isBrief: Bool {
        switch self {
        case .null, .bool, .integer, .number: true
        case .string(let text): text.utf8.count <= 64
        case .array(let elements): elements.count <= 32 && elements.allSatisfy(\.isBriefWord)
        case .object(let members): members.count <= 8 && members.allSatisfy(\.value.isBriefWord)
        }
    }

    private var isBriefWord: Bool {
        switch self {
        case .null, .bool, .integer, .number: true
        case .string(let text): text.utf8.count <= 64
        case .array, .object: false
        }
    }
}
