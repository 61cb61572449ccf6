import JSON
import Perception

/// /v1/advantages: rewards and groups → advantages.
struct AdvantagesEndpoint: TensorOperation {
    static let schema = TensorSchema.advantages

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = AdvantageOptions(
            body: request.options, query: context.members(of: AdvantageOptions.table, &faults), &faults)
        try faults.check()
        var rewards: [Double] = []
        var groups: [Int] = []
        if case .rollouts(let ids, _) = request.form, ids.isEmpty {
            // An empty batch is valid.
        } else if let read = checkedRewards(request, count: nil, &faults) {
            (rewards, groups) = read
        }
        try faults.check()
        // One number for each sequence: as many rows as rewards, each of one "token".
        let layout: TokenLayout
        if case .rollouts(let ids, _) = request.form {
            layout = TokenLayout(rollouts: ids, lengths: [Int](repeating: 1, count: ids.count))
        } else {
            layout = TokenLayout(flat: rewards.count)
        }
        try context.claim(layout)
        let advantages = options.estimator.advantages(
            rewards: rewards, groups: groups, epsilon: options.epsilon)
        var reply = TensorReply(form: request.form, layout: layout)
        reply.add("advantages", advantages)
        reply.rolloutNames["advantages"] = .scalar("advantage")
        reply.scalars.append(.init("options", AdvantageOptions.table.echo(options)))
        try reply.check()
        return reply
    }
}
