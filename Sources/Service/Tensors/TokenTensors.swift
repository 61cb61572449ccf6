import Batches
import ContrastiveLoss
import Tensor
import TokenDistribution

/// Reads a request's tensors against one layout, checking shapes, element types and values on arrival.
///
/// Nothing outside the response mask is looked at: padding may hold anything.
struct TokenTensors {
    let request: TensorRequest
    let layout: TokenLayout
    /// [N] of 0 and 1.
    private(set) var responseMask: [UInt8]
    /// [N] of 0 and 1: the response tokens of sequences that have views. All zeros while it is to come which sequences
    /// have some.
    private(set) var viewedMask: [UInt8]
    private var unviewedSequences: Set<Int> = []
    var faults: Faults

    /// Response tokens whose numbers were beyond their domain by no more than rounding.
    var residues = Residues()

    /// The tokens of rollouts that a view's reply names, where the request itself doesn't.
    var scoredIDs: [Int: [Int?]] = [:]

    /// How many bad elements of one tensor are listed.
    static let listed = 8

    init(_ request: TensorRequest, layout: TokenLayout, faults: Faults) {
        self.request = request
        self.layout = layout
        self.faults = faults
        responseMask = [UInt8](repeating: 1, count: layout.sequences.tokens)
        viewedMask = []
        readResponseMask()
        viewedMask = responseMask
        readHasViews()
    }

    /// Whether there are no tokens at all.
    var isEmpty: Bool { layout.sequences.tokens == 0 }

    func has(_ spec: TensorSpec) -> Bool { request.tensors[spec.name] != nil }

    /// Whether a tensor is given and its data are still to come.
    func isAwaited(_ spec: TensorSpec) -> Bool { request.tensors[spec.name]?.isOutline == true }

    private mutating func readResponseMask() {
        guard has(.responseMask), let mask = mask(.responseMask) else { return }
        // While it is to come, nobody knows which tokens count, so no value is judged.
        responseMask = isAwaited(.responseMask) ? [UInt8](repeating: 0, count: responseMask.count) : mask
    }

    /// The response tokens that a tensor says something of.
    func mask(of spec: TensorSpec) -> [UInt8] { spec.needsViews ? viewedMask : responseMask }

    /// The response tokens that a view says something of.
    func mask(of view: View) -> [UInt8] { view == .original ? responseMask : viewedMask }

    /// Whether no sequence has views, so that tensors of views may be absent; also while nobody knows which sequences
    /// have some.
    var isWithoutViews: Bool { has(.hasViews) && !viewedMask.contains(1) }

    /// Whether a sequence has no views.
    func isUnviewed(_ sequence: Int) -> Bool { unviewedSequences.contains(sequence) }

    /// How many sequences have no views; nil where the request doesn't say.
    var withoutViews: Int? { has(.hasViews) ? unviewedSequences.count : nil }

    private mutating func readHasViews() {
        let spec = TensorSpec.hasViews
        guard let tensor = request.tensor(spec, &faults) else { return }
        if tensor.isOutline || layout.isProvisional {
            viewedMask = [UInt8](repeating: 0, count: responseMask.count)
            return
        }
        guard tensor.shape == [layout.sequences.count] else {
            return faults.add(
                .invalidShape,
                Problem.Reason(
                    "wrong shape", field: spec.name, expected: "[\(layout.sequences.count)]",
                    found: "\(tensor.shape)"))
        }
        for (sequence, value) in tensor.doubles().enumerated() where value != 1 {
            guard value == 0 else {
                faults.add(
                    .invalidValue,
                    Problem.Reason(
                        "not a mask", field: spec.name, index: [sequence], expected: "0 or 1",
                        found: "\(value)"))
                return
            }
            unviewedSequences.insert(sequence)
            for token in layout.sequences[sequence] { viewedMask[token] = 0 }
        }
    }

    /// What an absent tensor is as good as: empty of no tokens, zeros that are never read where no sequence has views;
    /// else nil.
    func nothing(_ spec: TensorSpec) -> [Double]? {
        if has(spec) { return nil }
        if isEmpty { return [] }
        // While it is to come which sequences have views, what is absent may have to be computed from logits.
        let isKnown = !isAwaited(.hasViews) && !layout.isProvisional
        return spec.needsViews && isKnown && isWithoutViews && !hasSource(spec)
            ? [Double](repeating: 0, count: responseMask.count) : nil
    }

    /// Whether what a view says is had from something else that is given.
    private func hasSource(_ spec: TensorSpec) -> Bool {
        View.allCases.contains { view in
            [.logProbabilities(view), .entropy(view)].contains(spec)
                && (has(.logits(view)) || has(.interleavedLogits) || has(.best(view))
                    || request.replies[view] != nil)
        }
    }

    /// A tensor of the right type with one entry for each token; nil when absent or faulty.
    mutating func fitting(_ spec: TensorSpec) -> DenseTensor? {
        guard let tensor = request.tensors[spec.name], fits(tensor, spec) else { return nil }
        return request.tensor(spec, &faults)
    }

    /// Whether a tensor has one entry for each token.
    mutating func fits(_ tensor: DenseTensor, _ spec: TensorSpec) -> Bool {
        if tensor.shape == layout.shape { return true }
        // JSON can't write an empty [B, T] but as [] or [[], …].
        if tensor.count == 0, isEmpty, tensor.isNumbers { return true }
        faults.add(
            .invalidShape,
            Problem.Reason(
                "the shapes of one batch differ", field: spec.name, expected: "\(layout.shape)",
                found: "\(tensor.shape)"))
        return false
    }

    mutating func addMissing(_ spec: TensorSpec, _ text: String) {
        if spec.needsViews, isWithoutViews { return }
        // No rollouts, nothing missing: an empty batch is valid.
        if case .rollouts(let ids) = layout.kind, ids.isEmpty { return }
        faults.add(.missingField, Problem.Reason(text, field: spec.name))
    }
}
