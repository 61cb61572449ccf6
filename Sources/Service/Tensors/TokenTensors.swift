import ContrastiveLoss
import Perception
import Tensor
import TokenDistribution

/// Reads a request's tensors against one layout, checking shapes, element types and values at the door.
///
/// Nothing outside the response mask is looked at: padding may hold anything.
struct TokenTensors {
    let request: TensorRequest
    let layout: TokenLayout
    /// [N] of 0 and 1.
    private(set) var responseMask: [UInt8]
    var faults: Faults

    /// How many bad elements of one tensor are listed.
    private static let listed = 8

    init(_ request: TensorRequest, layout: TokenLayout, faults: Faults) {
        self.request = request
        self.layout = layout
        self.faults = faults
        responseMask = [UInt8](repeating: 1, count: layout.rows.tokens)
        readResponseMask()
    }

    /// Whether there are no tokens at all.
    var isEmpty: Bool { layout.rows.tokens == 0 }

    func has(_ name: String) -> Bool { request.tensors[name] != nil }

    private mutating func readResponseMask() {
        guard let tensor = request.tensors["response_mask"], fits(tensor, "response_mask") else { return }
        guard tensor.isNumbers || !tensor.elementType.isFloat else {
            faults.add(
                .invalidElementType,
                Problem.Reason(
                    "wrong element type", field: "response_mask", expected: "BOOL or an integer type",
                    found: tensor.elementType.rawValue))
            return
        }
        guard !tensor.isOutline else {
            // Which tokens count is not known yet, so no value is judged.
            responseMask = [UInt8](repeating: 0, count: responseMask.count)
            return
        }
        var bad = 0
        for (token, value) in tensor.doubles().enumerated() {
            if value == 0 || value == 1 {
                responseMask[token] = UInt8(value)
            } else if bad < TokenTensors.listed {
                bad += 1
                faults.add(
                    .invalidValue,
                    layout.reason(
                        "not a mask", field: "response_mask", token: token, expected: "0 or 1",
                        found: "\(value)"))
            }
        }
    }

    /// Whether a tensor is given and its data are still to come.
    func isAwaited(_ name: String) -> Bool { request.tensors[name]?.isOutline == true }

    /// Whether a tensor has one entry for each token.
    mutating func fits(_ tensor: DenseTensor, _ name: String) -> Bool {
        if tensor.shape == layout.shape { return true }
        // JSON can't write an empty [B, T] but as [] or [[], …].
        if tensor.count == 0, isEmpty, tensor.isNumbers { return true }
        faults.add(
            .invalidShape,
            Problem.Reason(
                "the shapes of one batch differ", field: name, expected: "\(layout.shape)",
                found: "\(tensor.shape)"))
        return false
    }

    /// One number for each token, finite inside the response; nil when absent or faulty, empty while they are still to
    /// come. Of no tokens, an absent tensor is as good as an empty one.
    mutating func numbers(_ name: String) -> [Double]? {
        if isEmpty, !has(name) { return [] }
        guard let tensor = request.tensors[name], fits(tensor, name), isFloat(tensor, name) else {
            return nil
        }
        if tensor.isOutline { return [] }
        let values = tensor.doubles()
        checkFinite(values, name)
        return values
    }

    private mutating func isFloat(_ tensor: DenseTensor, _ name: String) -> Bool {
        if tensor.elementType.isFloat { return true }
        faults.add(
            .invalidElementType,
            Problem.Reason(
                "wrong element type", field: name, expected: "F32, F16, BF16 or F64",
                found: tensor.elementType.rawValue))
        return false
    }

    mutating func checkFinite(
        _ values: [Double], _ name: String, _ text: String = "not finite inside the response"
    ) {
        if isFinite(values.span) { return }
        var bad = 0
        for token in values.indices where !values[token].isFinite && responseMask[token] == 1 {
            bad += 1
            guard bad <= TokenTensors.listed else { return }
            faults.add(
                .nonFiniteValue,
                layout.reason(
                    text, field: name, token: token, expected: "a finite number", found: "\(values[token])"))
        }
    }

    /// Logits with one row for each token, or so many parts, of which one is meant; nil when absent or faulty.
    mutating func logits(
        _ name: String, temperature: Double, part: Int = 0, of parts: Int = 1
    ) -> VocabularyLogits? {
        let none = VocabularyLogits(DenseTensor([], shape: [0, 1]), temperature: temperature)
        if isEmpty, !has(name) { return none }
        guard let tensor = request.tensors[name],
            part == 0 ? isFloat(tensor, name) : tensor.elementType.isFloat
        else { return nil }
        let vocabulary = tensor.shape.last ?? 0
        if tensor.count == 0, isEmpty { return none }
        let expected = layout.shape + (parts == 1 ? [] : [parts])
        guard tensor.shape.count >= 2, Array(tensor.shape.dropLast()) == expected, vocabulary >= 1 else {
            // Said once for all parts.
            guard part == 0 else { return nil }
            faults.add(
                .invalidShape,
                Problem.Reason(
                    "the shapes of one batch differ", field: name,
                    expected: "[\((expected.map(String.init) + ["V ≥ 1"]).joined(separator: ", "))]",
                    found: "\(tensor.shape)"))
            return nil
        }
        return VocabularyLogits(tensor, temperature: temperature, part: part, of: parts)
    }

    /// The realised tokens; inside the response each must be an index below `vocabulary`. Empty while they are still to
    /// come.
    mutating func tokenIDs(vocabulary: Int) -> [Int]? {
        let name = "token_ids"
        guard let tensor = request.tensors[name], fits(tensor, name) else { return nil }
        guard tensor.isNumbers || !tensor.elementType.isFloat,
            let ids = tensor.isOutline ? [] : tensor.integers()
        else {
            faults.add(
                .invalidElementType,
                Problem.Reason(
                    "wrong element type", field: name, expected: "integers",
                    found: tensor.elementType.rawValue))
            return nil
        }
        var bad = 0
        for token in ids.indices where responseMask[token] == 1 && !(0..<vocabulary).contains(ids[token]) {
            bad += 1
            guard bad <= TokenTensors.listed else { break }
            faults.add(
                .invalidValue,
                layout.reason(
                    "no token of the vocabulary", field: name, token: token,
                    expected: "0 … \(vocabulary - 1)",
                    found: "\(ids[token])"))
        }
        return bad == 0 ? ids : nil
    }
}

/// Whether there is neither an infinity nor a NaN; in whole vectors, since nearly always there is none.
private func isFinite(_ values: Span<Double>) -> Bool {
    var lanes = SIMD8<Double>.zero
    var first = 0
    while first + 8 <= values.count {
        // 0 of a number, NaN of anything else, and NaN for good.
        for lane in 0..<8 { lanes[lane] += values[first + lane] - values[first + lane] }
        first += 8
    }
    for index in first..<values.count { lanes[0] += values[index] - values[index] }
    return lanes.sum() == 0
}
