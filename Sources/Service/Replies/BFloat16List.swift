import Batches
import Tensor
import TokenDistribution

/// BF16 numbers in the form that a reply sends: the bytes of a tensor.
struct BFloat16List: Sendable {
    /// Little-endian, as every supported machine is.
    let bytes: [UInt8]

    /// Returns whether the nearest BF16 is finite.
    static func fits(_ value: Float) -> Bool { value.magnitude < 0x1.ffp127 }

    /// Rounds each number to the nearest BF16, and returns whether all results are finite.
    /// - Complexity: O(count)
    static func rounding(_ floats: FloatList) -> (list: BFloat16List, areFinite: Bool) {
        if floats.isEmpty { return (BFloat16List(bytes: []), true) }
        var areFinite = true
        let size = floats.count * ResultType.bfloat16.size
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { memory, filled in
            // An array's elements begin at a multiple of 16, and its capacity may be larger than requested.
            let results = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(memory)[..<size])
            areFinite = floats.withFloats { floats in
                unsafe floats.withUnsafeBufferPointer { unsafe roundToBFloat16($0, into: results) }
            }
            filled = size
        }
        return (BFloat16List(bytes: bytes), areFinite)
    }
}

extension BFloat16List: RandomAccessCollection {
    var startIndex: Int { 0 }
    var endIndex: Int { bytes.count / ResultType.bfloat16.size }

    subscript(index: Int) -> Float {
        bfloat16ToFloat(UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
    }
}
