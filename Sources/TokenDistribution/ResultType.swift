package import Tensor

/// What gradients are rounded to; raw values are the words of safetensors.
package enum ResultType: String, Sendable, CaseIterable {
    case float32 = "F32"
    /// The nearest to the Float, and of two equally near the even one.
    case bfloat16 = "BF16"

    package var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }

    /// Bytes of one number.
    package var size: Int { elementType.size }
}
