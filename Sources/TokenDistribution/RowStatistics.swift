import Glibc

/// Log-sum-exp and entropy (both in nats) of one row of logits, in one sweep.
///
/// With x = z/T and M the running maximum of z: S = Σ e^{(z−M)/T} and W = Σ e^{(z−M)/T}·(z−M)/T, so that
/// log-sum-exp = M/T + log S and entropy = log S − W/S. Subtracting before dividing keeps the differences exact where it
/// matters. When a block raises the maximum, both sums are rescaled in Double.
///
/// Blocks always start at multiples of `blockLength` from the row's start, so the result depends on the row alone, not
/// on how it was split or by which thread. A logit of −inf is probability 0. NaN, +inf and a row with no finite
/// logit make the statistics undefined (`outcome` says which).
/// Source: entropy = logsumexp(z) − Σ softmax(z)·z; online rescaling as in Milakov & Gimelshein, arXiv 1805.02867.
package struct RowStatistics: Sendable {
    /// Floats per block: 4 KiB, so that a block stays in the first-level cache between its two passes.
    package static let blockLength = 1024

    /// Vectors that are summed in Float before the sum goes on in Double: where all entries are equal, every addition
    /// rounds the same way, and 64 of them would cost 5e-6 nats.
    private static let flushInterval = 8

    private let temperature: Double
    private let inverseTemperature: Double
    private var maximum = -Double.infinity
    private var sum = 0.0
    private var weightedSum = 0.0
    private var isPoisoned = false

    package init(temperature: Double) {
        self.temperature = temperature
        inverseTemperature = 1 / temperature
    }

    /// What a finished row says.
    package enum Outcome: Sendable, Equatable {
        case defined(logSumExp: Double, entropy: Double)
        case notANumber
        case positiveInfinity
        case allNegativeInfinity
    }

    package var outcome: Outcome {
        if isPoisoned || sum.isNaN || weightedSum.isNaN { return .notANumber }
        if maximum == .infinity { return .positiveInfinity }
        if maximum == -.infinity { return .allNegativeInfinity }
        let logSum = log(sum)
        // Divided, not multiplied by the inverse, as a token's own z/T is: the log-probability of a certain token is then
        // exactly 0, and not a rounding residue whose sign an |a − p| would take for a direction.
        // Rounding can leave −1e-17 for a certain distribution; entropy is never negative.
        return .defined(
            logSumExp: maximum / temperature + logSum, entropy: max(0, logSum - weightedSum / sum))
    }

    /// Adds a block of Floats. Sums run in 16 Float lanes for a few vectors at a time and in Double beyond.
    package mutating func add(_ block: Span<Float>) {
        let lanes = block.count / 16
        var laneMaximum = SIMD16<Float>(repeating: -.infinity)
        for index in 0..<lanes {
            let z = lane(block, index)
            laneMaximum = laneMaximum.replacing(with: z, where: z .> laneMaximum)
        }
        var blockMaximum = laneMaximum.max()
        for index in (lanes * 16)..<block.count { blockMaximum = max(blockMaximum, block[index]) }
        guard raise(to: Double(blockMaximum)) else {
            for index in 0..<block.count where block[index].isNaN { isPoisoned = true }
            return
        }

        let shift = Float(maximum)
        let scale = Float(inverseTemperature)
        var laneSum = SIMD16<Float>.zero
        var laneWeighted = SIMD16<Float>.zero
        var blockSum = SIMD16<Double>.zero
        var blockWeighted = SIMD16<Double>.zero
        func accumulate(_ z: SIMD16<Float>) {
            var x = (z - shift) * scale
            // Below e^−87 a probability is beneath Float's normal range and counts as 0, as that of −inf is: a residue of
            // 1e-38 would give a certain row an entropy, and an entropy that rises makes a candidate.
            // NaN compares false, stays NaN and reaches the weighted sum.
            let isNothing = x .< -87
            x.replace(with: -87, where: isNothing)
            var e = exponential(x)
            e.replace(with: 0, where: isNothing)
            laneSum += e
            laneWeighted += e * x
        }
        func flush() {
            blockSum += SIMD16<Double>(laneSum)
            blockWeighted += SIMD16<Double>(laneWeighted)
            laneSum = .zero
            laneWeighted = .zero
        }
        for first in stride(from: 0, to: lanes, by: RowStatistics.flushInterval) {
            for index in first..<min(first + RowStatistics.flushInterval, lanes) {
                accumulate(lane(block, index))
            }
            flush()
        }
        if lanes * 16 < block.count {
            var rest = SIMD16<Float>(repeating: -.infinity)
            for index in (lanes * 16)..<block.count { rest[index - lanes * 16] = block[index] }
            accumulate(rest)
        }
        flush()
        sum += blockSum.sum()
        weightedSum += blockWeighted.sum()
        // Kept apart from the sums, which a later and much higher maximum would reset.
        if weightedSum.isNaN { isPoisoned = true }
    }

    /// Adds a block of Doubles, in Double throughout.
    package mutating func add(_ block: Span<Double>) {
        var blockMaximum = -Double.infinity
        for index in 0..<block.count {
            let z = block[index]
            if z.isNaN { isPoisoned = true }
            if z > blockMaximum { blockMaximum = z }
        }
        guard !isPoisoned, raise(to: blockMaximum) else { return }
        for index in 0..<block.count where block[index] != -.infinity {
            let x = (block[index] - maximum) * inverseTemperature
            let e = exp(x)
            // Differences beyond Double's range give x = −inf and e = 0, whose product is no number.
            guard e > 0 else { continue }
            sum += e
            weightedSum += e * x
        }
    }

    /// Rescales the sums to a new maximum if it is one; false when there is nothing finite to sum.
    private mutating func raise(to candidate: Double) -> Bool {
        if candidate > maximum {
            if maximum > -.infinity, candidate < .infinity {
                let x = (maximum - candidate) * inverseTemperature
                let factor = exp(x)
                // x → −∞ gives factor 0 and must not give 0·∞.
                weightedSum = factor == 0 ? 0 : factor * (weightedSum + x * sum)
                sum *= factor
            }
            maximum = candidate
        }
        return maximum > -.infinity && maximum < .infinity
    }
}

@inline(__always)
private func lane(_ block: Span<Float>, _ index: Int) -> SIMD16<Float> {
    // In bounds: index < count / 16.
    unsafe block.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index * 64, as: SIMD16<Float>.self)
}
