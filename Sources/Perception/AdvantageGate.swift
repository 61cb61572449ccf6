/// Lets the loss act only where the response did better than its group: advantage > threshold, strictly.
///
/// It is applied after the selection, so that it never changes which tokens are perception tokens.
/// Source: arXiv 2601.00501 §3.
package struct AdvantageGate: Sendable, Equatable {
    package enum Method: String, Sendable, CaseIterable {
        case positiveAdvantage = "positive_advantage"
        /// Switched off: every token passes.
        case none
    }

    package var method: Method
    package var threshold: Double

    package init(method: Method = .positiveAdvantage, threshold: Double = 0) {
        self.method = method
        self.threshold = threshold
    }

    /// 1 for response tokens that pass, flat over N.
    /// - Parameter advantages: one for each of N tokens; nil only when the gate is off.
    package func open(advantages: [Double]?, responseMask: [UInt8]) -> [UInt8] {
        switch method {
        case .none: return responseMask
        case .positiveAdvantage:
            guard let advantages else { preconditionFailure("the gate needs advantages") }
            precondition(advantages.count == responseMask.count)
            var open = responseMask
            let values = advantages.span
            var span = open.mutableSpan
            for token in 0..<span.count { span[token] &= values[token] > threshold ? 1 : 0 }
            return open
        }
    }
}
