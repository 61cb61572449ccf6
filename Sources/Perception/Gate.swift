/// Lets the loss act only where the response did well.
///
/// It is applied after the selection, so that it never changes which tokens are perception tokens.
/// Source: arXiv 2601.00501 §3 (advantage); arXiv 2512.22120 (reward).
package struct Gate: Sendable, Equatable {
    package enum Method: String, Sendable, CaseIterable {
        /// advantage > threshold, strictly.
        case positiveAdvantage = "positive_advantage"
        /// reward ≥ threshold: the response counts as right.
        case reward
        /// Switched off: every token passes.
        case none

        /// What the threshold is unless one is given.
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

    /// 1 for response tokens that pass, flat over N.
    /// - Parameters: one for each of N tokens, which the method that looks at them needs; nil otherwise.
    /// - Complexity: O(N)
    package func open(advantages: [Double]?, rewards: [Double]?, responseMask: [UInt8]) -> [UInt8] {
        switch method {
        case .none: return responseMask
        case .positiveAdvantage:
            guard let advantages else { preconditionFailure("the gate needs advantages") }
            return opened(responseMask, advantages) { $0 > threshold }
        case .reward:
            guard let rewards else { preconditionFailure("the gate needs rewards") }
            return opened(responseMask, rewards) { $0 >= threshold }
        }
    }

    @inline(__always)
    private func opened(
        _ responseMask: [UInt8], _ values: [Double], _ passes: (Double) -> Bool
    ) -> [UInt8] {
        precondition(values.count == responseMask.count)
        var open = responseMask
        let values = values.span
        var span = open.mutableSpan
        for token in 0..<span.count { span[token] &= passes(values[token]) ? 1 : 0 }
        return open
    }
}
