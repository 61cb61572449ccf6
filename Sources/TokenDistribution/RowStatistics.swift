import Glibc
package import Tensor

/// Log-sum-exp and entropy (both in nats) of one row of logits, in one sweep.
///
/// With x = (z − A)/T and A a logit near the top, the pivot: S = Σ e^x and W = Σ e^x·x over all logits but one that equals
/// A, so that log-sum-exp = A/T + log(1 + S) and entropy = log(1 + S) − W/(1 + S). Leaving the pivot out keeps the
/// digits of what the other logits have where they have almost nothing; subtracting before dividing keeps the differences
/// exact. A block with a logit well above the pivot gives a new pivot, and both sums are rescaled in Double.
///
/// Blocks always start at multiples of `blockLength` from the row's start, so the result depends on the row and the
/// instruction set alone, not on how it was split or by which thread. A logit of −inf is probability 0, and so, in the
/// 32-bit and 16-bit types, is one that is 87·T below the pivot: a residue of 1e-38 would give a certain row an entropy,
/// and an entropy that rises makes a candidate. NaN, +inf and a row with no finite logit make the statistics undefined
/// (`outcome` says which). Errors against float64: entropy below 2e-6 nats, and relative 1e-5 where it is small; F64
/// logits are computed in Double throughout.
///
/// The kernels need an instruction less where log2(e)/T is a Float. Where one is near enough, as at T = 1, it is what logits
/// are multiplied by: T is then off by a factor 1 + δ, |δ| ≤ 1.5e-8. Log-sum-exp is corrected for it, as its derivative is
/// the mean of x; entropy is off by δ times the variance of x, which is at most 40 with a vocabulary of 151,936.
/// Source: entropy = logsumexp(z) − Σ softmax(z)·z; online rescaling as in Milakov & Gimelshein, arXiv 1805.02867.
package struct RowStatistics: Sendable {
    /// Elements per block.
    package static var blockLength: Int { KernelSums.blockLength }

    let temperature: Double
    private(set) var inverseTemperature: Double
    /// What the kernels multiply logits by, log2(e)/T or the Float next to it.
    private let kernelRate: Double
    private let instructionSet: InstructionSet
    var pivot = -Double.infinity
    var sum = 0.0
    var weightedSum = 0.0
    var isPoisoned = false
    private var sums = KernelSums()
    /// Whether the pivot and the temperature are such that Float lanes resolve z·log2(e)/T around it.
    private var isWithinReach = false

    package init(temperature: Double, instructionSet: InstructionSet = .inUse) {
        self.temperature = temperature
        self.instructionSet = instructionSet
        inverseTemperature = 1 / temperature
        let rate = M_LOG2E / temperature
        let nearest = Double(Float(rate))
        kernelRate = abs(nearest - rate) <= RowStatistics.rateTolerance * rate ? nearest : rate
    }

    /// Relative; that of T = 1 is 1.34e-8.
    private static let rateTolerance = 1.5e-8

    /// What a finished row says.
    package enum Outcome: Sendable, Equatable {
        case defined(RowSummary)
        case notANumber
        case positiveInfinity
        case allNegativeInfinity
    }

    package var outcome: Outcome {
        var whole = self
        whole.collect()
        if isPoisoned || whole.sum.isNaN || whole.weightedSum.isNaN { return .notANumber }
        if pivot == .infinity { return .positiveInfinity }
        if pivot == -.infinity { return .allNegativeInfinity }
        let logSum = log1p(whole.sum)
        let mean = whole.weightedSum / (1 + whole.sum)
        let drift = inverseTemperature * temperature - 1
        // Rounding can leave −1e-17 for a certain distribution; entropy is never negative.
        return .defined(
            RowSummary(
                peak: pivot, temperature: temperature, logSum: logSum - drift * mean,
                entropy: max(0, logSum - mean)))
    }

    /// Adds the row's next elements, little-endian F32, BF16, F16 or F64 at any alignment. Every call but a row's last
    /// brings a multiple of `blockLength` elements; all calls of a row bring the same type.
    /// - Complexity: O(elements) time, O(1) memory.
    package mutating func add(_ bytes: RawSpan, as type: ElementType) {
        precondition(type.isFloat && bytes.byteCount % type.size == 0)
        let count = bytes.byteCount / type.size
        let element = KernelElement(type)
        if element != nil { inverseTemperature = kernelRate / M_LOG2E }
        var start = 0
        while start < count, !isPoisoned {
            if let element, isWithinReach {
                start += sums.add(bytes.extracting(droppingFirst: start * type.size), element, instructionSet)
                if start == count { break }
            }
            let end = min(count, start + RowStatistics.blockLength)
            let block = bytes.extracting(start * type.size..<end * type.size)
            if let element {
                addCarefully(block, element, type)
            } else {
                addWide(block, as: type)
            }
            start = end
        }
    }

    /// Adds one block that may need a new pivot, or may not be for Float at all.
    private mutating func addCarefully(_ block: RawSpan, _ element: KernelElement, _ type: ElementType) {
        let maximum = KernelSums.maximum(of: block, element, instructionSet)
        guard !maximum.hasNaN else {
            isPoisoned = true
            return
        }
        let value = Double(maximum.value)
        guard value > pivot else { return addWide(block, as: type) }
        raise(to: value, least: RowStatistics.leastExponent)
        guard value < .infinity else { return }
        let reference = (value * kernelRate).rounded()
        isWithinReach = reference.magnitude <= 0x1p16 && kernelRate > 0x1p-20 && kernelRate < 0x1p20
        guard isWithinReach else { return addWide(block, as: type, isPivoted: true) }
        sums.pivot(at: maximum.value, rate: kernelRate, reference: reference)
        let equal = sums.addPivoted(block, element, instructionSet)
        guard equal > 0 else { return addWide(block, as: type, isPivoted: true) }
        sum += Double(equal - 1)
    }

    /// Moves what the kernels summed into the sums around the pivot.
    private mutating func collect() {
        guard isWithinReach else { return }
        let totals = sums.takeTotals()
        // 2^(reference − pivot·rate): the kernels' reference is the whole number next to the pivot's place.
        let factor = exp2(sums.reference.addingProduct(-pivot, sums.rate))
        sum += factor * totals.sum
        weightedSum += factor * totals.weighted * inverseTemperature
    }

    /// Makes a larger logit the pivot, and the pivot so far one of the summed.
    mutating func raise(to candidate: Double, least: Double) {
        collect()
        if pivot > -.infinity, candidate < .infinity {
            let x = (pivot - candidate) * inverseTemperature
            let factor = exp(x)
            // x → −∞ gives factor 0 and must not give 0·∞.
            let isNothing = factor == 0 || x < least
            weightedSum = isNothing ? 0 : factor * (weightedSum + x * (sum + 1))
            sum = isNothing ? 0 : factor * (sum + 1)
        }
        pivot = candidate
        isWithinReach = false
    }
}
