import Advantages
import Batches
import ContrastiveLoss
import JSON

/// Diagnostics of a batch as a whole. They show that a trainer sends something other than it means to send.
struct BatchDiagnostics: Sendable {
    let members: [JSONValue.Member]

    /// - Complexity: O(N)
    init(_ source: Diagnostics.Source) {
        var members: [JSONValue.Member] = []
        if let groups = source.groups {
            members.append(.init("groups", .integer(Int64(groups.groups))))
            members.append(.init("groups_without_spread", .integer(Int64(groups.withoutSpread))))
        }
        if let without = source.withoutViews {
            members.append(.init("without_views", .integer(Int64(without))))
        }
        if let undecided = source.undecided { members.append(.init("undecided", .integer(Int64(undecided)))) }
        if let scales = source.selection.advantageScales {
            members.append(
                .init(
                    "dependency",
                    scales.range.map {
                        [
                            "min": .number($0.minimum), "max": .number($0.maximum),
                            "mean": $0.mean.map { .number($0) } ?? .null,
                        ]
                    } ?? .null))
        }
        let equal = BatchDiagnostics.equalViews(source.batch)
        if !equal.isEmpty { members.append(.init("equal_views", .object(equal))) }
        if let old = source.batch.oldLogProbabilities, let original = source.batch.logProbabilities.original {
            let (old, original) = (old.doubles, original.doubles)
            let distance = source.batch.meanOverResponse { (original[$0] - old[$0]).magnitude }
            members.append(.init("mean_old_distance", distance))
        }
        let residues = source.residues
        members.append(.init("negative_entropies", .integer(Int64(residues.negativeEntropies))))
        members.append(.init("positive_log_probs", .integer(Int64(residues.positiveLogProbabilities))))
        if let ignored = source.ignoredTexts {
            members.append(.init("ignored_tokens", .integer(Int64(ignored))))
        }
        if let report = source.report { members.append(.init("loss_is_capped", .bool(report.isCapped))) }
        self.members = members
    }

    /// The numbers that are no counts, by name. Those of huge inputs may not be finite.
    var numbers: [(name: String, value: Double)] { BatchDiagnostics.numbers(of: members) }

    private static func numbers(of members: [JSONValue.Member]) -> [(name: String, value: Double)] {
        var found: [(name: String, value: Double)] = []
        for member in members {
            if case .number(let value) = member.value { found.append((member.name, value)) }
            guard case .object(let inner) = member.value else { continue }
            for number in numbers(of: inner) {
                found.append(("\(member.name).\(number.name)", number.value))
            }
        }
        return found
    }

    /// Returns the shares of response tokens, in sequences with views, whose log-probabilities are the same bits under
    /// two views. A share is near 1 if the picture never reached the model.
    private static func equalViews(_ batch: TokenBatch) -> [JSONValue.Member] {
        let given = View.allCases.compactMap { view in batch.logProbabilities[view].map { (view, $0) } }
        guard given.count > 1 else { return [] }
        let viewed = batch.viewedMask
        // If there are only two, the second stands in for the third.
        let third = given.count > 2 ? given[2] : given[1]
        let equal = countEqual(given[0].1, given[1].1, third.1, where: viewed)
        let tokens = count(of: viewed.span, in: 0..<viewed.count)
        func member(_ first: View, _ second: View, _ count: Int) -> JSONValue.Member {
            .init("\(first.rawValue)_\(second.rawValue)", mean(Double(count), tokens))
        }
        let pair = member(given[0].0, given[1].0, equal.firstSecond)
        if given.count == 2 { return [pair] }
        return [
            pair, member(given[0].0, third.0, equal.firstThird),
            member(given[1].0, third.0, equal.secondThird),
        ]
    }
}

extension TokenBatch {
    /// Returns the mean over the response tokens, or null if there are none.
    fileprivate func meanOverResponse(_ value: (Int) -> Double) -> JSONValue {
        var sum = 0.0
        var count = 0
        for token in responseMask.indices where responseMask[token] == 1 {
            sum += value(token)
            count += 1
        }
        return mean(sum, count)
    }
}
