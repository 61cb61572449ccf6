import Advantages
import JSON
import Tensor

/// /v1/advantages: rewards and groups → advantages.
struct AdvantagesEndpoint: TensorOperation {
    static let schema = TensorSchema.advantages

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = AdvantageOptions(
            body: request.options, query: context.members(of: AdvantageOptions.table, &faults), &faults)
        try faults.check()
        // Before they are widened.
        if let rewards = request.tensors[TensorSpec.rewards.name] {
            try context.claim(tokens: 0, sequences: rewards.count)
        }
        var rewards: [Double] = []
        var groups: [Int] = []
        if case .rollouts(let ids, _) = request.form, ids.isEmpty {
            // An empty batch is valid.
        } else if let read: (rewards: [Double], groups: [Int]) = checkedRewards(request, count: nil, &faults)
        {
            (rewards, groups) = read
        }
        try faults.check()
        let layout = TokenLayout(sequences: rewards.count, of: request.form)
        try context.claim(layout)
        let advantages = options.estimator.advantages(
            rewards: rewards, groups: groups, epsilon: options.epsilon)
        var reply = TensorReply(form: request.form, layout: layout)
        reply.add("advantages", sequences: advantages.values, in: "advantage")
        reply.scalars.append(
            .init(
                "diagnostics",
                [
                    "groups": .integer(Int64(advantages.groups)),
                    "groups_without_spread": .integer(Int64(advantages.withoutSpread)),
                ]))
        reply.scalars.append(.init("options", AdvantageOptions.table.echo(options)))
        try reply.check()
        return reply
    }
}
