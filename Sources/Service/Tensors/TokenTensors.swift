import Batches
import ContrastiveLoss
import Tensor
import TokenDistribution

/// Reads a request's tensors according to one layout. It checks shapes, element types and values on arrival.
///
/// Values outside the response mask are ignored: padding may hold anything.
struct TokenTensors {
    let request: TensorRequest
    let layout: TokenLayout
    /// [N] of 0 and 1.
    private(set) var responseMask: [UInt8]
    /// [N] of 0 and 1: the response tokens of sequences that have views. All are 0 until it is known which sequences
    /// have views.
    private(set) var viewedMask: [UInt8]
    private var unviewedSequences: Set<Int> = []
    var faults: Faults

    /// The counts of response tokens whose numbers exceed their domain by no more than rounding.
    var residues = Residues()

    /// The tokens of rollouts as the reply for a view names them, if the request itself does not.
    var scoredIDs: [Int: [Int?]] = [:]

    /// The maximum number of wrong elements of one tensor that are listed.
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

    /// A Boolean value indicating whether there are no tokens.
    var isEmpty: Bool { layout.sequences.tokens == 0 }

    func has(_ spec: TensorSpec) -> Bool { request.tensors[spec.name] != nil }

    /// Returns whether a tensor is given and its data are still to come.
    func isAwaited(_ spec: TensorSpec) -> Bool { request.tensors[spec.name]?.isOutline == true }

    private mutating func readResponseMask() {
        guard has(.responseMask), let mask = mask(.responseMask) else { return }
        // Until the mask arrives, it is unknown which tokens count, so no value is checked.
        responseMask = isAwaited(.responseMask) ? [UInt8](repeating: 0, count: responseMask.count) : mask
    }

    /// Returns the response tokens for which a tensor has values.
    func mask(of spec: TensorSpec) -> [UInt8] { spec.needsViews ? viewedMask : responseMask }

    /// Returns the response tokens for which a view has values.
    func mask(of view: View) -> [UInt8] { view == .original ? responseMask : viewedMask }

    /// A Boolean value indicating whether no sequence has views, so that tensors of views may be absent. It is also
    /// true until it is known which sequences have views.
    var isWithoutViews: Bool { has(.hasViews) && !viewedMask.contains(1) }

    /// Returns whether a sequence has no views.
    func isUnviewed(_ sequence: Int) -> Bool { unviewedSequences.contains(sequence) }

    /// The number of sequences without views; nil if the request does not say.
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

    /// Returns the values that an absent tensor counts as: an empty list without tokens, and zeros, which are never
    /// read, if no sequence has views. Otherwise returns nil.
    func nothing(_ spec: TensorSpec) -> [Double]? {
        if has(spec) { return nil }
        if isEmpty { return [] }
        // Until it is known which sequences have views, an absent tensor may have to be computed from logits.
        let isKnown = !isAwaited(.hasViews) && !layout.isProvisional
        return spec.needsViews && isKnown && isWithoutViews && !hasSource(spec)
            ? [Double](repeating: 0, count: responseMask.count) : nil
    }

    /// Returns whether a view's values are derived from another tensor that is given, or from a reply.
    private func hasSource(_ spec: TensorSpec) -> Bool {
        View.allCases.contains { view in
            [.logProbabilities(view), .entropy(view)].contains(spec)
                && (has(.logits(view)) || has(.interleavedLogits) || has(.best(view))
                    || request.replies[view] != nil)
        }
    }

    /// Returns a tensor of the right type with one entry for each token; nil if it is absent or faulty.
    mutating func fitting(_ spec: TensorSpec) -> DenseTensor? {
        guard let tensor = request.tensors[spec.name], fits(tensor, spec) else { return nil }
        return request.tensor(spec, &faults)
    }

    /// Returns whether a tensor has one entry for each token. Another shape is a fault.
    mutating func fits(_ tensor: DenseTensor, _ spec: TensorSpec) -> Bool {
        if tensor.shape == layout.shape { return true }
        // JSON can write an empty [B, T] only as [] or [[], …].
        if tensor.count == 0, isEmpty, tensor.isNumbers { return true }
        addMisfit(tensor, spec, expected: "\(layout.shape)")
        return false
    }

    /// Reports a tensor whose shape does not fit the batch.
    /// - Parameter expected: the shape that fits, in words.
    mutating func addMisfit(_ tensor: DenseTensor, _ spec: TensorSpec, expected: String) {
        faults.add(
            .invalidShape,
            Problem.Reason(
                "the shapes of one batch differ", field: spec.name, expected: expected,
                found: "\(tensor.shape)"))
    }

    mutating func addMissing(_ spec: TensorSpec, _ text: String) {
        if spec.needsViews, isWithoutViews { return }
        // Without rollouts, nothing is missing: an empty batch is valid.
        if case .rollouts(let ids) = layout.kind, ids.isEmpty { return }
        faults.add(.missingField, Problem.Reason(text, field: spec.name))
    }
}
