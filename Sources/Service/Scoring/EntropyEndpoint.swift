import ContrastiveLoss
import JSON
import Tensor
import TokenDistribution

/// /v1/entropy: logits → entropy, log-sum-exp and, with token ids, log-probabilities.
struct EntropyEndpoint: TensorOperation {
    static let schema = TensorSchema.entropy

    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        let input = try EntropyInput(request, context)
        let readsToken = input.options.returned.contains(.logProbs) && input.tensors.has(.tokenIDs)
        let use = IntakePlan.Use.reduce(
            temperature: input.options.temperature, parts: [.init(readsToken: readsToken)])
        return IntakePlan(
            uses: Dictionary(uniqueKeysWithValues: input.distributions.map { ($0.field, use) }),
            tensors: input.tensors, tokenIDs: input.distributions.lazy.compactMap(\.tokenIDs).first)
    }

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var input = try EntropyInput(request, context)
        let returned = input.options.returned
        var reply = TensorReply(form: request.form, layout: input.tensors.layout)
        for given in input.distributions {
            let statistics = try LogitStatistics(
                given.logits, context, field: given.field, &input.tensors)
            if returned.contains(.entropy) { reply.add("\(given.prefix)entropy", statistics.entropy) }
            if returned.contains(.logSumExp) {
                reply.add("\(given.prefix)log_sum_exp", statistics.logSumExp)
            }
            if returned.contains(.logProbs), let ids = given.tokenIDs {
                reply.add(
                    "\(given.prefix)log_probs",
                    statistics.logProbabilities(of: ids, given.logits, field: given.field, &input.tensors))
            }
        }
        try input.tensors.faults.check()
        reply.scalars.append(.init("options", EntropyOptions.table.echo(input.options)))
        try reply.check()
        return reply
    }
}

/// A request for entropies as it was read and checked, as far as it has arrived.
struct EntropyInput {
    let options: EntropyOptions
    var tensors: TokenTensors
    private(set) var distributions: [Given] = []

    /// One distribution's logits.
    struct Given {
        let field: String
        let logits: VocabularyLogits
        /// [N]; empty while they are still to come.
        let tokenIDs: [Int]?

        /// Of the names of its results: "", or a view and a dot.
        var prefix: Substring { field.dropLast(TensorSpec.logits.name.count) }
    }

    init(_ request: TensorRequest, _ context: OperationContext) throws(Problem) {
        var faults = Faults()
        options = EntropyOptions(
            body: request.options, query: context.members(of: EntropyOptions.table, &faults), &faults)
        try faults.check()

        let present = TensorSchema.entropy.guides.filter {
            $0.extent == .vocabulary && request.tensors[$0.name] != nil
        }
        if present.count > 1, present[0] == .logits {
            throw Problem(
                .conflictingFields, "either logits alone or logits of named views, not both", field: "logits")
        }
        let layout = try EntropyInput.layout(request, present, context)
        tensors = TokenTensors(request, layout: layout, faults: faults)
        if present.isEmpty { tensors.addMissing(.logits, "missing, and no view's logits are given") }
        if options.namesOutputs, options.returned.contains(.logProbs), !tensors.has(.tokenIDs) {
            tensors.addMissing(.tokenIDs, "log_probs were asked for")
        }
        for spec in present {
            guard let logits = tensors.logits(spec, temperature: options.temperature) else { continue }
            let ids = tensors.tokenIDs(vocabulary: logits.vocabulary)
            distributions.append(Given(field: spec.name, logits: logits, tokenIDs: ids))
        }
        try tensors.faults.check()
    }

    /// Rank 2 is one list of rows, with or without cu_seqlens.
    private static func layout(
        _ request: TensorRequest, _ present: [TensorSpec], _ context: OperationContext
    ) throws(Problem) -> TokenLayout {
        if case .rollouts = request.form { return try TokenLayout(request, guide: [], within: context) }
        let guide =
            present.isEmpty ? TensorSchema.entropy.guides.filter { $0.extent == .vocabulary } : present
        if request.tensors[TensorSpec.offsets.name] == nil, let first = guide.first?.name,
            let tensor = request.tensors[first], tensor.shape.count == 2,
            !(tensor.isNumbers && tensor.count == 0)
        {
            let tokens = tensor.shape[0]
            try TokenLayout.checkVocabulary(of: tensor, first, tokens: tokens)
            try context.claim(tokens: tokens, rows: 1)
            return TokenLayout(flat: tokens)
        }
        return try TokenLayout(request, guide: guide, within: context)
    }
}
