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
        guard let tensor = request.tensors[spec.name] else { return }
        guard spec.elements.accepts(tensor) else {
            return faults.add(.invalidElementType, .elementType(spec, tensor))
        }
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

    /// 0 or 1 for each token; nil when absent or faulty, empty while they are still to come. Outside the response
    /// anything goes, but for the response mask itself. Of no tokens, an absent mask is as good as an empty one.
    mutating func mask(_ spec: TensorSpec) -> [UInt8]? {
        if let nothing = nothing(spec) { return nothing.map { _ in 0 } }
        guard let tensor = fitting(spec) else { return nil }
        if tensor.isOutline { return [] }
        // Bytes are a mask as they stand, unless one of them is wrong and must be named.
        if tensor.elementType.size == 1 {
            let bytes = tensor.bytes
            if bytes.reduce(0, |) <= 1 { return bytes }
        }
        // A token that is marked by neither is judged as one that counts.
        var mask = [UInt8](repeating: 1, count: responseMask.count)
        let counts = self.mask(of: spec)
        var bad = 0
        for (token, value) in tensor.doubles().enumerated() {
            if value == 0 || value == 1 {
                mask[token] = UInt8(value)
            } else if bad < TokenTensors.listed, counts[token] == 1 {
                bad += 1
                faults.add(
                    .invalidValue,
                    layout.reason(
                        "not a mask", field: spec.name, token: token, expected: "0 or 1", found: "\(value)"))
            }
        }
        return mask
    }

    /// What an absent tensor is as good as: empty of no tokens, zeros that are never read where no sequence has views;
    /// else nil.
    private func nothing(_ spec: TensorSpec) -> [Double]? {
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
    private mutating func fitting(_ spec: TensorSpec) -> DenseTensor? {
        guard let tensor = request.tensors[spec.name], fits(tensor, spec) else { return nil }
        guard spec.elements.accepts(tensor) else {
            faults.add(.invalidElementType, .elementType(spec, tensor))
            return nil
        }
        return tensor
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

    /// One number for each token, finite inside the response and of its domain; nil when absent or faulty, empty while
    /// they are still to come. Of no tokens, an absent tensor is as good as an empty one.
    ///
    /// - Parameter isUsed: whether anything is computed from them; if not, only shape, type and finiteness are checked.
    mutating func numbers(_ spec: TensorSpec, isUsed: Bool = true) -> TokenNumbers? {
        if let nothing = nothing(spec) { return TokenNumbers(nothing) }
        guard let tensor = fitting(spec) else { return nil }
        if tensor.isOutline { return [] }
        var values: TokenNumbers
        let extent: NumberExtent
        if let floats = tensor.floatsAndExtent() {
            values = TokenNumbers(floats: floats.bytes, start: floats.start, count: tensor.count)
            extent = floats.extent
        } else {
            let (doubles, found) = tensor.doublesAndExtent()
            values = TokenNumbers(doubles)
            extent = found
        }
        if !extent.isFinite { checkFinite(values, spec) }
        if isUsed { settle(&values, extent, spec, tensor.elementType) }
        return values
    }

    private mutating func checkFinite(_ values: TokenNumbers, _ spec: TensorSpec) {
        let counts = mask(of: spec)
        var bad = 0
        for token in values.indices where !values[token].isFinite && counts[token] == 1 {
            bad += 1
            guard bad <= TokenTensors.listed else { return }
            faults.add(
                .nonFiniteValue,
                layout.reason(
                    "not finite inside the response", field: spec.name, token: token,
                    expected: "a finite number", found: "\(values[token])"))
        }
    }

    /// Refuses numbers beyond their domain, and settles those that rounding has put there.
    private mutating func settle(
        _ values: inout TokenNumbers, _ extent: NumberExtent, _ spec: TensorSpec, _ type: ElementType
    ) {
        let sign: Double
        switch spec.domain {
        case .any: return
        case .entropy: sign = -1
        case .logProbability: sign = 1
        }
        guard sign < 0 ? extent.least < 0 : extent.largest > 0 else { return }
        let tolerance = Residues.tolerance(type)
        let counts = mask(of: spec)
        var bad = 0
        for token in values.indices where counts[token] == 1 && values[token] * sign > 0 {
            if values[token] * sign <= tolerance {
                residues.count(spec.domain)
                if spec.domain == .entropy { values[token] = 0 }
            } else if bad < TokenTensors.listed, values[token].isFinite {
                bad += 1
                faults.add(
                    .invalidValue,
                    layout.reason(
                        spec.domain == .entropy ? "an entropy below 0" : "a log-probability above 0",
                        field: spec.name, token: token,
                        expected: spec.domain == .entropy ? "≥ −\(tolerance)" : "≤ \(tolerance)",
                        found: "\(values[token])"))
            }
        }
    }

    /// Logits with one row for each token, or those of one view among several; nil when absent or faulty.
    mutating func logits(
        _ spec: TensorSpec, temperature: Double, slice: Int = 0
    ) -> VocabularyLogits? {
        // Of no tokens; V is kept where an empty tensor says it, because gradients have its extent.
        func none(_ vocabulary: Int) -> VocabularyLogits {
            VocabularyLogits(DenseTensor([], shape: [0, max(1, vocabulary)]), temperature: temperature)
        }
        if isEmpty, !has(spec) { return none(1) }
        guard let tensor = request.tensors[spec.name] else { return nil }
        guard spec.elements.accepts(tensor) else {
            // Said once for all slices.
            if slice == 0 { faults.add(.invalidElementType, .elementType(spec, tensor)) }
            return nil
        }
        let vocabulary = tensor.shape.last ?? 0
        if tensor.count == 0, isEmpty {
            return none(tensor.isNumbers || tensor.shape.count < 2 ? 1 : vocabulary)
        }
        let inner = spec.extent.rest.dropLast().compactMap { Int($0) }
        let expected = layout.shape + inner
        guard tensor.shape.count >= 2, Array(tensor.shape.dropLast()) == expected, vocabulary >= 1 else {
            guard slice == 0 else { return nil }
            faults.add(
                .invalidShape,
                Problem.Reason(
                    "the shapes of one batch differ", field: spec.name,
                    expected: "[\((expected.map(String.init) + ["V ≥ 1"]).joined(separator: ", "))]",
                    found: "\(tensor.shape)"))
            return nil
        }
        return VocabularyLogits(tensor, temperature: temperature, slice: slice, of: inner.first ?? 1)
    }

    /// The realised tokens; inside the response each must be an index below `vocabulary`. Empty while they are still to
    /// come.
    mutating func tokenIDs(vocabulary: Int) -> [Int]? {
        let spec = TensorSpec.tokenIDs
        guard let tensor = fitting(spec) else { return nil }
        guard let ids = tensor.isOutline ? [] : tensor.integers() else {
            faults.add(.invalidElementType, .elementType(spec, tensor))
            return nil
        }
        var bad = 0
        for token in ids.indices where responseMask[token] == 1 && !(0..<vocabulary).contains(ids[token]) {
            bad += 1
            guard bad <= TokenTensors.listed else { break }
            faults.add(
                .invalidValue,
                layout.reason(
                    "not a token of the vocabulary", field: spec.name, token: token,
                    expected: "0 … \(vocabulary - 1)",
                    found: tensor.elementType == .uint64
                        ? "\(UInt64(bitPattern: Int64(ids[token])))" : "\(ids[token])"))
        }
        return bad == 0 ? ids : nil
    }

    mutating func addMissing(_ spec: TensorSpec, _ text: String) {
        if spec.needsViews, isWithoutViews { return }
        // No rollouts, nothing missing: an empty batch is valid.
        if case .rollouts(let ids) = layout.kind, ids.isEmpty { return }
        faults.add(.missingField, Problem.Reason(text, field: spec.name))
    }
}
