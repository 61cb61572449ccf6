import Glibc

/// A divergence between two distributions over the vocabulary, D(anchor, reference), in nats, from log-probabilities.
///
/// −inf is probability 0. Everything is computed in Double.
package enum Divergence: Sendable {
    /// KL(anchor ‖ reference) = Σ π_a (log π_a − log π_ref). Infinite where the anchor has mass and the reference none.
    case kullbackLeibler
    /// Jensen–Shannon: ½ KL(anchor ‖ m) + ½ KL(reference ‖ m), m their mean. Between 0 and ln 2.
    case jensenShannon
    /// Jeffreys: ½ KL(anchor ‖ reference) + ½ KL(reference ‖ anchor). Infinite where one has mass and the other none.
    case jeffreys

    /// - Parameters: log-probabilities [V] of both distributions.
    /// - Complexity: O(V)
    package func value(anchor: [Double], reference: [Double]) -> Double {
        precondition(anchor.count == reference.count)
        var sum = 0.0
        for index in anchor.indices { sum += term(anchor[index], reference[index]) }
        // Of near-equal rows, rounding can leave −1e-17.
        return max(0, sum)
    }

    /// Adds scale · ∂D/∂z to both gradients, z the logits before the division by temperature T.
    ///
    /// KL: ∂/∂z_a = π_a (log π_a − log π_ref − D)/T, ∂/∂z_ref = (π_ref − π_a)/T.
    /// JSD: ∂/∂z_x = ½ π_x (log(π_x/m) − KL(x ‖ m))/T for both x.
    /// Jeffreys: ∂/∂z_x = ½ (π_x (log(π_x/π_y) − KL(x ‖ y)) + π_x − π_y)/T for both x, y the other.
    /// - Complexity: O(V)
    package func addGradient(
        anchor: [Double], reference: [Double], scale: Double, temperature: Double,
        toAnchor anchorGradient: inout [Double], toReference referenceGradient: inout [Double]
    ) {
        // Where a clamp holds an infinite divergence its slope is 0, and 0 · ∞ must not reach the gradients.
        guard scale != 0 else { return }
        let factor = scale / temperature
        switch self {
        case .kullbackLeibler:
            var divergence = 0.0
            for index in anchor.indices { divergence += term(anchor[index], reference[index]) }
            for index in anchor.indices {
                let p = exp(anchor[index])
                if p > 0 {
                    anchorGradient[index] += factor * p * (anchor[index] - reference[index] - divergence)
                }
                referenceGradient[index] += factor * (exp(reference[index]) - p)
            }
        case .jensenShannon:
            var toMeanFromAnchor = 0.0
            var toMeanFromReference = 0.0
            for index in anchor.indices {
                let ratios = mixtureRatios(anchor[index], reference[index])
                toMeanFromAnchor += ratios.p * ratios.logAnchor
                toMeanFromReference += ratios.q * ratios.logReference
            }
            for index in anchor.indices {
                let ratios = mixtureRatios(anchor[index], reference[index])
                anchorGradient[index] += 0.5 * factor * ratios.p * (ratios.logAnchor - toMeanFromAnchor)
                referenceGradient[index] +=
                    0.5 * factor * ratios.q * (ratios.logReference - toMeanFromReference)
            }
        case .jeffreys:
            var fromAnchor = 0.0
            var fromReference = 0.0
            for index in anchor.indices {
                fromAnchor += weightedGap(anchor[index], reference[index])
                fromReference += weightedGap(reference[index], anchor[index])
            }
            for index in anchor.indices {
                let surplus = exp(anchor[index]) - exp(reference[index])
                let toAnchor =
                    weightedGap(anchor[index], reference[index]) - exp(anchor[index]) * fromAnchor + surplus
                let toReference =
                    weightedGap(reference[index], anchor[index]) - exp(reference[index]) * fromReference
                    - surplus
                anchorGradient[index] += 0.5 * factor * toAnchor
                referenceGradient[index] += 0.5 * factor * toReference
            }
        }
    }

    @inline(__always)
    private func term(_ a: Double, _ r: Double) -> Double {
        switch self {
        case .kullbackLeibler: return weightedGap(a, r)
        case .jeffreys: return 0.5 * (weightedGap(a, r) + weightedGap(r, a))
        case .jensenShannon:
            let ratios = mixtureRatios(a, r)
            return 0.5 * (ratios.p * ratios.logAnchor + ratios.q * ratios.logReference)
        }
    }
}

/// e^a (a − r), 0 where e^a is.
@inline(__always)
private func weightedGap(_ a: Double, _ r: Double) -> Double {
    let p = exp(a)
    return p > 0 ? p * (a - r) : 0
}

/// p = e^a, q = e^r, log(p/m), log(q/m) with m = (p+q)/2; a logarithm whose probability is 0 is given as 0.
@inline(__always)
private func mixtureRatios(
    _ a: Double, _ r: Double
) -> (p: Double, q: Double, logAnchor: Double, logReference: Double) {
    let p = exp(a)
    let q = exp(r)
    // log(p/m) = ln2 − log(1 + e^{r−a}): exact for near-equal rows, and safe where one side is −inf.
    return (p, q, p > 0 ? M_LN2 - softplus(r - a) : 0, q > 0 ? M_LN2 - softplus(a - r) : 0)
}

/// log(1 + e^x) without overflow; x may be ±inf.
@inline(__always)
package func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-x.magnitude)) }
