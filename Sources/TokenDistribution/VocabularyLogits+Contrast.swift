import Tensor

extension RowContrast {
    /// Statistics and divergences of row `row` of three tensors that are held whole; their element types may differ.
    /// - Complexity: O(V)
    package func read(
        _ row: Int, original: VocabularyLogits, preserving: VocabularyLogits, removing: VocabularyLogits
    ) -> ContrastedRows {
        let type = common(original, preserving, removing)
        return original.withRow(row, as: type) { original in
            preserving.withRow(row, as: type) { preserving in
                removing.withRow(row, as: type) { removing in
                    read(original: original, preserving: preserving, removing: removing, as: type)
                }
            }
        }
    }

    /// The gradients of row `row`; see the method of the same name that takes bytes.
    package func writeGradients(
        _ row: Int, original: VocabularyLogits, preserving: VocabularyLogits, removing: VocabularyLogits,
        slopes: ViewDivergences, toOriginal: inout MutableSpan<Float>,
        toPreserving: inout MutableSpan<Float>, toRemoving: inout MutableSpan<Float>
    ) -> Bool {
        let type = common(original, preserving, removing)
        return original.withRow(row, as: type) { original in
            preserving.withRow(row, as: type) { preserving in
                removing.withRow(row, as: type) { removing in
                    writeGradients(
                        original: original, preserving: preserving, removing: removing, as: type,
                        slopes: slopes, toOriginal: &toOriginal, toPreserving: &toPreserving,
                        toRemoving: &toRemoving)
                }
            }
        }
    }

    /// The type that the rows have in common; of different ones, one that holds the numbers of all.
    private func common(_ views: VocabularyLogits...) -> ElementType {
        let types = Set(views.map(\.tensor.elementType))
        if types.count == 1, let type = types.first { return type }
        return types.contains(.float64) ? .float64 : .float32
    }
}

extension VocabularyLogits {
    /// Lends one row as elements of `type`: as it lies there, or a copy that is widened exactly.
    fileprivate func withRow<Result>(
        _ row: Int, as type: ElementType, _ body: (RawSpan) -> Result
    ) -> Result {
        let range = elements(ofRow: row)
        if tensor.elementType == type { return tensor.withBytes(of: range, body) }
        if type == .float64 { return body(unsafe tensor.doubles(range).span.bytes) }
        var values = [Float](repeating: 0, count: vocabulary)
        var span = values.mutableSpan
        tensor.widen(range, into: &span)
        return body(unsafe values.span.bytes)
    }

    /// The gradient of row `row`; see the function of the same name.
    package func writeTokenGradient(
        _ row: Int, token: Int, slope: Double, into output: inout MutableSpan<Float>
    ) -> Bool {
        tensor.withBytes(of: elements(ofRow: row)) { bytes in
            TokenDistribution.writeTokenGradient(
                of: token, slope: slope, logits: bytes, as: tensor.elementType, temperature: temperature,
                into: &output)
        }
    }
}
