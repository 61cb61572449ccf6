import Advantages
import Batches
import ContrastiveLoss
import JSON
import Perception
import PolicyObjective

/// Counts and means over some tokens. A researcher looks at them first.
struct Diagnostics: Sendable, Equatable {
    /// The values that are counted, flat over N.
    struct Source {
        let batch: TokenBatch
        let selection: Selection
        /// Nil for /v1/mask.
        let report: LossReport?
        var policy: PolicyReport?
        /// Nil if advantages were not computed from rewards in groups.
        let groups: GroupedAdvantages?
        let residues: Residues
        /// The number of sequences without views; nil if the request does not say.
        var withoutViews: Int?
        /// The number of response tokens that bounds of entropies leave undecided; nil if entropies are exact.
        var undecided: Int?
        /// The number of sequences whose texts did not fit their tokens; nil if no texts were given.
        var ignoredTexts: Int?
    }

    private(set) var tokens = 0
    private(set) var candidates = 0
    private(set) var selected = 0
    private(set) var gated = 0
    private(set) var clamped = 0
    /// The number of tokens whose entropies are compared: response tokens of sequences with views.
    private(set) var compared = 0
    private(set) var deltaSum = 0.0
    private(set) var contrastSum = 0.0
    /// A Boolean value indicating whether entropies were compared, so that ΔH has a mean.
    let comparesEntropies: Bool
    private let scores: Bool

    private init(_ source: Source) {
        comparesEntropies = source.selection.detection.comparesEntropies
        scores = source.report != nil
    }

    /// Returns the diagnostics of each sequence.
    /// - Complexity: O(N)
    static func sequences(_ source: Source) -> [Diagnostics] {
        // Read once. A batch is many lists, and reading it for every sequence would retain and release them all.
        let sequences = source.batch.sequences
        let response = source.batch.responseMask
        let viewed = source.batch.viewedMask
        let detection = source.selection.detection
        let mask = source.selection.mask
        let sums = source.report?.sums ?? []
        let empty = Diagnostics(source)
        return (0..<sequences.count).map { sequence in
            let range = sequences[sequence]
            var part = empty
            part.tokens = count(of: response.span, in: range)
            part.candidates = count(of: detection.candidates.span, in: range)
            part.selected = count(of: detection.mask.span, in: range)
            part.gated = count(of: mask.span, in: range)
            if let sums = detection.narrow?.deltaSums {
                part.compared = count(of: viewed.span, in: range)
                part.deltaSum = sums[sequence]
            } else if let deltas = detection.deltaEntropy {
                part.compared = count(of: viewed.span, in: range)
                part.deltaSum = sum(of: deltas.span, where: viewed.span, in: range)
            }
            if !sums.isEmpty {
                (part.contrastSum, part.clamped) = (sums[sequence].contrast, sums[sequence].clamped)
            }
            return part
        }
    }

    /// Creates the diagnostics of all sequences together.
    init(_ source: Source, joining sequences: [Diagnostics]) {
        self.init(source)
        for part in sequences {
            tokens += part.tokens
            candidates += part.candidates
            selected += part.selected
            gated += part.gated
            clamped += part.clamped
            compared += part.compared
            deltaSum += part.deltaSum
            contrastSum += part.contrastSum
        }
    }

    /// A Boolean value indicating whether every mean is finite. Differences of huge inputs, or estimates without a
    /// clamp, may not be.
    var isFinite: Bool { deltaSum.isFinite && contrastSum.isFinite }

    /// The members of the reply. A mean is null if there is nothing to average.
    var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("tokens", .integer(Int64(tokens))), .init("candidates", .integer(Int64(candidates))),
            .init("selected", .integer(Int64(selected))), .init("gated", .integer(Int64(gated))),
            .init("mean_delta_entropy", mean(deltaSum, compared)),
        ]
        if scores {
            members.append(.init("mean_contrast", mean(contrastSum, gated)))
            members.append(.init("clamped_fraction", mean(Double(clamped), gated)))
        }
        return members
    }
}

/// Returns a mean, or null if there is nothing to average.
func mean(_ sum: Double, _ count: Int) -> JSONValue {
    count == 0 ? .null : .number(sum / Double(count))
}
