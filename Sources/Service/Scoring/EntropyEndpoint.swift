import JSON
import Tensor
import TokenDistribution

/// /v1/entropy: logits → entropy, log-sum-exp and, with token ids, log-probabilities; the likeliest tokens' log-probabilities,
/// or an engine's reply → bounds of the entropy.
struct EntropyEndpoint: TensorOperation {
    static let schema = TensorSchema.entropy

    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        let input = try EntropyInput(request, context)
        let uses = input.distributions.compactMap { given -> (String, IntakePlan.Use)? in
            guard case .logits(_, let tokenIDs) = given.source else { return nil }
            let readsToken = input.options.returned.contains(.logProbs) && tokenIDs != nil
            return (
                given.field,
                .reduce(temperature: input.options.temperature, slices: [.init(readsToken: readsToken)])
            )
        }
        return IntakePlan(
            uses: Dictionary(uniqueKeysWithValues: uses), tensors: input.tensors,
            tokenIDs: input.distributions.lazy.compactMap(\.tokenIDs).first)
    }

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var input = try EntropyInput(request, context)
        var reply = TensorReply(form: request.form, layout: input.tensors.layout)
        for given in input.distributions {
            switch given.source {
            case .logits(let logits, let tokenIDs):
                try add(logits, tokenIDs, given, &input, context, to: &reply)
            case .best(let best, let logProbabilities):
                try add(best, logProbabilities, given, &input, context, to: &reply)
            }
        }
        try input.tensors.faults.check()
        reply.scalars.append(.init("options", EntropyOptions.table.echo(input.options)))
        try reply.check()
        return reply
    }

    private static func add(
        _ logits: VocabularyLogits, _ tokenIDs: [Int]?, _ given: EntropyInput.Given,
        _ input: inout EntropyInput, _ context: OperationContext, to reply: inout TensorReply
    ) throws(Problem) {
        let returned = input.options.returned
        let statistics = try LogitStatistics(logits, context, field: given.field, &input.tensors)
        if returned.contains(.entropy) { reply.add("\(given.prefix)entropy", statistics.entropy) }
        if returned.contains(.logSumExp) { reply.add("\(given.prefix)log_sum_exp", statistics.logSumExp) }
        if returned.contains(.logProbs), let tokenIDs {
            reply.add(
                "\(given.prefix)log_probs",
                statistics.logProbabilities(of: tokenIDs, logits, field: given.field, &input.tensors))
        }
    }

    private static func add(
        _ best: BestTokens, _ logProbabilities: [Double]?, _ given: EntropyInput.Given,
        _ input: inout EntropyInput, _ context: OperationContext, to reply: inout TensorReply
    ) throws(Problem) {
        let options = input.options
        let bounds = try best.bounds(
            vocabulary: options.bounds.vocabulary ?? 1, &input.tensors, context)
        if options.returned.contains(.entropy) {
            reply.add("\(given.prefix)entropy", options.bounds.entropy(bounds))
        }
        if options.returned.contains(.entropyLower) {
            reply.add("\(given.prefix)entropy_lower", bounds.lower)
        }
        if options.returned.contains(.entropyUpper) {
            reply.add("\(given.prefix)entropy_upper", bounds.upper)
        }
        if options.returned.contains(.logProbs), let logProbabilities {
            reply.add("\(given.prefix)log_probs", logProbabilities)
        }
    }
}
