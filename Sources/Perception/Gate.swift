package import Batches

/// Restricts the loss to responses that did well.
///
/// It is applied after the selection, so it never changes which tokens are perception tokens. Source: arXiv 2601.00501
/// §3 (advantage); arXiv 2512.22120 (reward).
package struct Gate: Sendable, Equatable {
    package enum Method: String, Sendable, CaseIterable {
        /// advantage > threshold, strictly.
        case positiveAdvantage = "positive_advantage"
        /// reward ≥ threshold: the response counts as correct.
        case reward
        /// No gate: every token passes.
        case none

        /// The default threshold.
        package var standardThreshold: Double {
            switch self {
            case .positiveAdvantage, .none: 0
            case .reward: 0.5
            }
        }
    }

    package var method: Method
    package var threshold: Double

    package init(method: Method = .positiveAdvantage, threshold: Double? = nil) {
        self.method = method
        self.threshold = threshold ?? method.standardThreshold
    }

    /// Returns 1 for response tokens that pass, flat over N.
    /// - Parameters: a value for each of N tokens, required by the method that reads it; otherwise nil.
    /// - Complexity: O(N)
    package func open(
        advantages: TokenNumbers?, rewards: TokenNumbers?, responseMask: [UInt8]
    ) -> [UInt8] {
        switch method {
        case .none: return responseMask
        case .positiveAdvantage:
            guard let advantages else { preconditionFailure("the gate needs advantages") }
            return opened(responseMask, advantages, orEqual: false)
        case .reward:
            guard let rewards else { preconditionFailure("the gate needs rewards") }
            return opened(responseMask, rewards, orEqual: true)
        }
    }

    private func opened(_ responseMask: [UInt8], _ values: TokenNumbers, orEqual: Bool) -> [UInt8] {
        var open = responseMask
        var span = open.mutableSpan
        if let (values, sequences) = values.perSequence {
            for (sequence, value) in values.enumerated()
            where !(orEqual ? value >= threshold : value > threshold) {
                for token in sequences[sequence] { span[token] = 0 }
            }
            return open
        }
        let values = values.doubles
        choose(
            above: threshold, orEqual: orEqual, from: responseMask.span, values.span,
            in: 0..<responseMask.count, &span)
        return open
    }
}
