import ContrastiveLoss
import JSON
import Tensor
import TokenDistribution

/// A request for entropies, read and checked as far as it has arrived.
struct EntropyInput {
    let options: EntropyOptions
    var tensors: TokenTensors
    private(set) var distributions: [Given] = []

    /// One distribution for each token.
    struct Given {
        let field: String
        /// The prefix of its results' names: empty, or a view and a dot.
        let prefix: String
        let source: Source

        /// [N]; empty while they are still to come, nil if none are used.
        var tokenIDs: [Int]? {
            if case .logits(_, let tokenIDs) = source { tokenIDs } else { nil }
        }
    }

    enum Source {
        case logits(VocabularyLogits, tokenIDs: [Int]?)
        /// With the log-probabilities of the realised tokens, if an engine's reply contains them.
        case best(BestTokens, logProbabilities: [Double]?)
    }

    /// - Throws: all errors that were found.
    init(_ request: TensorRequest, _ context: OperationContext) throws(Problem) {
        var faults = Faults()
        options = EntropyOptions(
            body: request.options, query: context.members(of: EntropyOptions.table, &faults), &faults)
        try faults.check()
        let present = EntropyInput.distributions.filter { request.tensors[$0.name] != nil }
        if let plain = present.first(where: { !$0.name.contains(".") }),
            present.count + request.replies.count > 1
        {
            throw Problem(
                .conflictingFields, "either \(plain.name) alone or named views, not both", field: plain.name)
        }
        let layout = try EntropyInput.layout(request, present, context)
        tensors = TokenTensors(request, layout: layout, faults: faults)
        if present.isEmpty, request.replies.isEmpty {
            tensors.addMissing(.logits, "missing, and no view's logits or top_log_probs are given")
        }
        if options.namesOutputs, options.returned.contains(.logProbs), !tensors.has(.tokenIDs),
            request.replies.isEmpty
        {
            tensors.addMissing(.tokenIDs, "log_probs were requested")
        }
        for spec in present where spec.extent == .vocabulary { addLogits(spec) }
        addBest()
        checkUse()
        try tensors.faults.check()
    }

    private static let distributions = TensorSchema.entropy.tensors.filter {
        $0.extent == .vocabulary || $0.extent == .ranked
    }

    private mutating func addLogits(_ spec: TensorSpec) {
        guard let logits = tensors.logits(spec, temperature: options.temperature) else { return }
        let ids = tensors.tokenIDs(vocabulary: logits.vocabulary)
        distributions.append(
            Given(
                field: spec.name, prefix: String(spec.name.dropLast(TensorSpec.logits.name.count)),
                source: .logits(logits, tokenIDs: ids)))
    }

    private mutating func addBest() {
        if let best = tensors.best(.best, realised: nil) {
            distributions.append(
                Given(field: best.field, prefix: "", source: .best(best, logProbabilities: nil)))
        }
        for view in View.allCases {
            let given = tensors.numbers(.logProbabilities(view))
            let reply = tensors.replies(view, needsBest: true)
            guard let best = reply?.best ?? tensors.best(.best(view), realised: given) else { continue }
            distributions.append(
                Given(
                    field: best.field, prefix: "\(view.rawValue).",
                    source: .best(best, logProbabilities: reply?.logProbabilities)))
        }
        let names = distributions.map(\.prefix)
        for view in View.allCases where names.count(where: { $0 == "\(view.rawValue)." }) > 1 {
            tensors.refuse(.best(view), "the view's logits determine it")
        }
    }

    private mutating func checkUse() {
        let isBounded = distributions.contains { if case .best = $0.source { true } else { false } }
        tensors.checkBounds(options.bounds, isUsed: isBounded, temperature: options.temperature)
        for view in View.allCases
        where tensors.has(.logProbabilities(view)) && !tensors.has(.best(view)) {
            tensors.refuse(.logProbabilities(view), "no top_log_probs are given with them")
        }
    }

    /// Returns the layout of the request. A tensor of rank 2 is one list of rows, with or without cu_seqlens.
    private static func layout(
        _ request: TensorRequest, _ present: [TensorSpec], _ context: OperationContext
    ) throws(Problem) -> TokenLayout {
        if case .rollouts = request.form { return try TokenLayout(request, guide: [], within: context) }
        let guide = present.isEmpty ? distributions : present
        if request.tensors[TensorSpec.offsets.name] == nil, let first = guide.first?.name,
            let tensor = request.tensors[first], tensor.shape.count == 2,
            !(tensor.isNumbers && tensor.count == 0)
        {
            let tokens = tensor.shape[0]
            try TokenLayout.checkVocabulary(of: tensor, first, tokens: tokens)
            try context.claim(tokens: tokens, sequences: 1)
            return TokenLayout(flat: tokens)
        }
        return try TokenLayout(request, guide: guide, within: context)
    }
}
