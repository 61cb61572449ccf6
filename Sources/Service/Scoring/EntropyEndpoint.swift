import ContrastiveLoss
import JSON
import Perception
import Tensor
import TokenDistribution

/// /v1/entropy: logits → entropy, log-sum-exp and, with token ids, log-probabilities.
struct EntropyEndpoint: TensorOperation {
    static let schema = TensorSchema.entropy
    /// Of names: one unnamed distribution, or those of the views.
    private static let prefixes = [""] + View.allCases.map { "\($0.rawValue)." }

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = EntropyOptions(
            body: request.options, query: context.members(of: EntropyOptions.table, &faults), &faults)
        try faults.check()

        let present = prefixes.filter { request.tensors["\($0)logits"] != nil }
        if present.count > 1, present[0].isEmpty {
            throw Problem(
                .conflictingFields, "either logits alone or logits of named views, not both", field: "logits")
        }
        let layout = try layout(request, present)
        try context.check(layout)
        var tensors = TokenTensors(request, layout: layout, faults: faults)
        if present.isEmpty { tensors.addMissing("logits", "missing, and no view's logits are given") }
        if options.namesOutputs, options.returned.contains(.logProbs), !tensors.has("token_ids") {
            tensors.addMissing("token_ids", "log_probs were asked for")
        }

        var reply = TensorReply(form: request.form, layout: layout)
        for prefix in present {
            let field = "\(prefix)logits"
            guard let logits = tensors.logits(field, temperature: options.temperature) else { continue }
            let ids = tensors.tokenIDs(vocabulary: logits.vocabulary)
            let statistics = LogitStatistics(logits, field: field, &tensors)
            if options.returned.contains(.entropy) { reply.add("\(prefix)entropy", statistics.entropy) }
            if options.returned.contains(.logSumExp) {
                reply.add("\(prefix)log_sum_exp", statistics.logSumExp)
            }
            if options.returned.contains(.logProbs), let ids {
                reply.add(
                    "\(prefix)log_probs",
                    statistics.logProbabilities(of: ids, logits, field: field, &tensors))
            }
        }
        try tensors.faults.check()
        reply.scalars.append(.init("options", EntropyOptions.table.echo(options)))
        try reply.check()
        return reply
    }

    /// Rank 2 is one list of rows, with or without cu_seqlens.
    private static func layout(
        _ request: TensorRequest, _ present: [String]
    ) throws(Problem) -> TokenLayout {
        if case .rollouts = request.form { return try TokenLayout(request, guide: []) }
        let guide = (present.isEmpty ? prefixes : present).map { "\($0)logits" }
        if request.tensors["cu_seqlens"] == nil, let first = guide.first, let tensor = request.tensors[first],
            tensor.shape.count == 2, !(tensor.isNumbers && tensor.count == 0)
        {
            try TokenLayout.checkVocabulary(of: tensor, first, tokens: tensor.shape[0])
            return TokenLayout(flat: tensor.shape[0])
        }
        return try TokenLayout(request, guide: guide)
    }
}
