import Tensor
import TokenDistribution

extension TokenTensors {
    /// Reads logits with one row for each token, or the slice of one view among several. Returns nil if they are absent
    /// or faulty.
    mutating func logits(
        _ spec: TensorSpec, temperature: Double, slice: Int = 0
    ) -> VocabularyLogits? {
        // Logits without tokens. V is kept if an empty tensor has one, because gradients have this extent.
        func none(_ vocabulary: Int) -> VocabularyLogits {
            VocabularyLogits(DenseTensor([], shape: [0, max(1, vocabulary)]), temperature: temperature)
        }
        if isEmpty, !has(spec) { return none(1) }
        guard let tensor = request.tensors[spec.name] else { return nil }
        guard spec.elements.accepts(tensor) else {
            // Reported once for all slices.
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
            addMisfit(
                tensor, spec, expected: "[\((expected.map(String.init) + ["V ≥ 1"]).joined(separator: ", "))]"
            )
            return nil
        }
        return VocabularyLogits(tensor, temperature: temperature, slice: slice, of: inner.first ?? 1)
    }

    /// Reads the realised tokens. Inside the response, each must be an index below `vocabulary`. Returns an empty list
    /// while they are still to come.
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
}
