package import Tensor

extension VocabularyLogits {
    /// Lends row `row` as elements of `type`: as it lies there, or a copy that is widened exactly.
    /// - Parameter type: the tensor's own, or a float type that holds all its numbers.
    /// - Complexity: O(1); O(V) for a copy.
    package func withRow<Result>(_ row: Int, as type: ElementType, _ body: (RawSpan) -> Result) -> Result {
        let range = elements(ofRow: row)
        if tensor.elementType == type { return tensor.withBytes(of: range, body) }
        if type == .float64 { return body(unsafe tensor.doubles(range).span.bytes) }
        var values = [Float](repeating: 0, count: vocabulary)
        var span = values.mutableSpan
        tensor.widen(range, into: &span)
        return body(unsafe values.span.bytes)
    }
}

extension ElementType {
    /// The type that rows of these types have in common; of different ones, one that holds the numbers of all.
    package static func common(_ types: Set<ElementType>) -> ElementType {
        if types.count == 1, let type = types.first { return type }
        return types.contains(.float64) ? .float64 : .float32
    }
}
