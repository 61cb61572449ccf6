package import Batches

/// Scales each response's advantage by how much the response depends on the image, so that the mean scale is 1.
///
/// With s_b the mean dependency of response b's tokens, u_b = (s_b − min)/(max − min) within 0 … 1 and β = `floor`:
/// scale_b = β + u_b (1 − β)/(mean(u) + 1e-8). All scales are 1 where max − min ≤ 1e-6.
/// Source: VPPO, arXiv 2510.09285. Its published code takes min and max over one rank's mini-batch and the mean over a
/// micro-batch, so that its scales depend on how a batch is cut; here they are over the request, or given.
package struct AdvantageScaling: Sendable, Equatable {
    /// β in 0 … 1.
    package var floor: Double
    /// What the request's own numbers are replaced by; nil for none.
    package var minimum: Double?
    package var maximum: Double?
    /// Of u.
    package var mean: Double?

    package init(
        floor: Double = 0.9, minimum: Double? = nil, maximum: Double? = nil, mean: Double? = nil
    ) {
        self.floor = floor
        self.minimum = minimum
        self.maximum = maximum
        self.mean = mean
    }

    /// What was measured over the responses that have tokens.
    package struct Range: Sendable, Equatable {
        /// Of s.
        package var minimum: Double
        package var maximum: Double
        /// Of u, under the minimum and maximum in effect; nil where these are no further than 1e-6 apart.
        package var mean: Double?
    }

    package struct Scales: Sendable, Equatable {
        /// [B]; 1 for a response without tokens.
        package var values: [Double]
        /// Nil where no response has tokens.
        package var range: Range?
    }

    /// - Parameter dependency: [N], what is inside the response counts.
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
        let isSpread = high - low > 1e-6
        let shares = means.map { isSpread ? min(1, max(0, ($0.mean - low) / (high - low))) : 0 }
        let share = shares.reduce(0, +) / Double(shares.count)
        scales.range = Range(minimum: lowest, maximum: highest, mean: isSpread ? share : nil)
        guard isSpread else { return scales }
        for (response, part) in zip(means, shares) {
            scales.values[response.sequence] = floor + part * (1 - floor) / ((mean ?? share) + 1e-8)
        }
        return scales
    }
}
