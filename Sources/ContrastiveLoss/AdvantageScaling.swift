package import Batches

/// Scales the advantage of each response by how much the response depends on the image. The mean scale is 1.
///
/// Let s_b be the mean dependency of the tokens of response b, u_b = (s_b − min)/(max − min) within 0 … 1, and β =
/// `floor`. Then scale_b = β + u_b (1 − β)/(mean(u) + 1e-8). If max − min ≤ 1e-6, all scales are 1.
/// Source: VPPO, arXiv 2510.09285. Its published code takes min and max over the mini-batch of one rank and the mean
/// over a micro-batch, so its scales depend on how a batch is divided. Here all three are taken over the request unless
/// they are given.
package struct AdvantageScaling: Sendable, Equatable {
    /// β in 0 … 1.
    package var floor: Double
    /// Replace the smallest and the largest s of the request; nil to use these.
    package var minimum: Double?
    package var maximum: Double?
    /// Replaces the mean of u of the request; nil to use that.
    package var mean: Double?

    package init(
        floor: Double = 0.9, minimum: Double? = nil, maximum: Double? = nil, mean: Double? = nil
    ) {
        self.floor = floor
        self.minimum = minimum
        self.maximum = maximum
        self.mean = mean
    }

    /// The measurements over the responses that have tokens.
    package struct Range: Sendable, Equatable {
        /// The smallest and the largest s.
        package var minimum: Double
        package var maximum: Double
        /// The mean of u under the minimum and maximum in effect; nil if these are at most 1e-6 apart.
        package var mean: Double?
    }

    package struct Scales: Sendable, Equatable {
        /// [B]; 1 for responses without tokens.
        package var values: [Double]
        /// Nil if no response has tokens.
        package var range: Range?
    }

    /// Returns the scale of each response.
    /// - Parameter dependency: [N]. Only response tokens count.
    /// - Complexity: O(N)
    package func scales(dependency: [Double], responseMask: [UInt8], sequences: Sequences) -> Scales {
        var scales = Scales(values: [Double](repeating: 1, count: sequences.count))
        var means: [(sequence: Int, mean: Double)] = []
        for sequence in 0..<sequences.count {
            let tokens = count(of: responseMask.span, in: sequences[sequence])
            guard tokens > 0 else { continue }
            means.append(
                (
                    sequence,
                    sum(of: dependency.span, where: responseMask.span, in: sequences[sequence])
                        / Double(tokens)
                ))
        }
        guard let lowest = means.map(\.mean).min(), let highest = means.map(\.mean).max() else {
            return scales
        }
        let (low, high) = (minimum ?? lowest, maximum ?? highest)
        // By halves, because a difference of finite numbers may not be finite.
        let spread = high / 2 - low / 2
        let isSpread = spread > 0.5e-6
        let shares = means.map { isSpread ? min(1, max(0, ($0.mean / 2 - low / 2) / spread)) : 0 }
        let share = shares.reduce(0, +) / Double(shares.count)
        scales.range = Range(minimum: lowest, maximum: highest, mean: isSpread ? share : nil)
        guard isSpread else { return scales }
        for (response, part) in zip(means, shares) {
            scales.values[response.sequence] = floor + part * (1 - floor) / ((mean ?? share) + 1e-8)
        }
        return scales
    }
}
