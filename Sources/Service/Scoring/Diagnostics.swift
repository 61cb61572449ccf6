import ContrastiveLoss
import JSON
import Perception

/// Counts and means over some tokens: what a researcher looks at first.
struct Diagnostics: Sendable, Equatable {
    /// Everything that is counted, flat over N.
    struct Source {
        let responseMask: [UInt8]
        let detection: Detection
        let mask: [UInt8]
        /// Whether entropies were compared, so that ΔH has a mean.
        let detects: Bool
        /// Margins and whether a clamp acted; nil for /v1/mask.
        let loss: LossReport?
    }

    private(set) var tokens = 0
    private(set) var candidates = 0
    private(set) var selected = 0
    private(set) var gated = 0
    private(set) var clamped = 0
    private var deltaSum = 0.0
    private var marginSum = 0.0
    private let detects: Bool
    private let hasLoss: Bool

    /// One sequence's.
    /// - Complexity: O(range.count)
    init(_ source: Source, _ range: Range<Int>) {
        detects = source.detects
        hasLoss = source.loss != nil
        tokens = count(of: source.responseMask.span, in: range)
        candidates = count(of: source.detection.candidates.span, in: range)
        selected = count(of: source.detection.mask.span, in: range)
        gated = count(of: source.mask.span, in: range)
        deltaSum = sum(of: source.detection.deltaEntropy.span, where: source.responseMask.span, in: range)
        guard let loss = source.loss else { return }
        marginSum = sum(of: loss.margin.span, where: source.mask.span, in: range)
        for token in range where loss.isClamped[token] && source.mask[token] == 1 { clamped += 1 }
    }

    /// Those of all sequences together.
    init(_ source: Source, joining sequences: [Diagnostics]) {
        detects = source.detects
        hasLoss = source.loss != nil
        for part in sequences {
            tokens += part.tokens
            candidates += part.candidates
            selected += part.selected
            gated += part.gated
            clamped += part.clamped
            deltaSum += part.deltaSum
            marginSum += part.marginSum
        }
    }

    /// Whether every mean is a number: differences of huge inputs, or estimates without a clamp, may not be.
    var isFinite: Bool { deltaSum.isFinite && marginSum.isFinite }

    /// Means are null where there is nothing to average.
    var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("tokens", .integer(Int64(tokens))), .init("candidates", .integer(Int64(candidates))),
            .init("selected", .integer(Int64(selected))), .init("gated", .integer(Int64(gated))),
            .init("mean_delta_entropy", mean(deltaSum, detects ? tokens : 0)),
        ]
        if hasLoss {
            members.append(.init("mean_margin", mean(marginSum, gated)))
            members.append(.init("clamped_fraction", mean(Double(clamped), gated)))
        }
        return members
    }

    private func mean(_ sum: Double, _ count: Int) -> JSONValue {
        count == 0 ? .null : .number(sum / Double(count))
    }
}
