import Tensor

/// Where one row's gradients go, [V] of F32 or BF16, and whether they are added to what is there.
///
/// Whoever makes one keeps the memory alive while it is used, and gives no other thread the same row.
@safe
package struct RowOutput {
    /// Nil for a row that isn't wanted: an empty buffer may have an address, and a kernel takes an address for a wish.
    let start: UnsafeMutableRawPointer?
    /// V; 0 for a row that isn't wanted.
    package let count: Int
    package let type: ResultType
    /// Never of BF16, which would round each part of a sum.
    package var adds: Bool

    /// - Parameter memory: V elements; none for a row that isn't wanted.
    package init(_ memory: UnsafeMutableBufferPointer<Float>, adds: Bool = false) {
        unsafe self.init(UnsafeMutableRawBufferPointer(memory), as: .float32)
        self.adds = adds
    }

    /// - Parameter memory: V elements, aligned as their type; none for a row that isn't wanted.
    package init(_ memory: UnsafeMutableRawBufferPointer, as type: ResultType) {
        unsafe start = memory.isEmpty ? nil : memory.baseAddress
        count = memory.count / type.size
        self.type = type
        adds = false
    }

    /// A row that isn't wanted.
    package static var none: RowOutput {
        unsafe RowOutput(UnsafeMutableRawBufferPointer(start: nil, count: 0), as: .float32)
    }

    package var isWanted: Bool { count > 0 }

    /// Rounds to the type, and writes or adds; nothing for a row that isn't wanted.
    /// - Returns: whether all that was written is finite.
    func put(_ values: [Double]) -> Bool {
        guard isWanted else { return true }
        precondition(values.count == count)
        var isFinite = true
        for index in values.indices {
            if !set(adds ? values[index] + value(at: index) : values[index], at: index) { isFinite = false }
        }
        return isFinite
    }

    func value(at index: Int) -> Double {
        switch type {
        case .float32: Double(unsafe floats[index])
        case .bfloat16: Double(bfloat16ToFloat(unsafe bfloat16s[index]))
        }
    }

    /// Rounds one element to the type, whatever was there.
    /// - Returns: whether it is finite.
    func set(_ value: Double, at index: Int) -> Bool {
        let float = Float(value)
        switch type {
        case .float32:
            unsafe floats[index] = float
            return float.isFinite
        case .bfloat16:
            let bfloat16 = nearestBFloat16(float)
            unsafe bfloat16s[index] = bfloat16
            return bfloat16ToFloat(bfloat16).isFinite
        }
    }

    /// Rounds a whole row of Floats to the type.
    /// - Returns: whether all that was written is finite.
    package func round(_ row: RowOutput) -> Bool {
        precondition(type == .bfloat16 && row.type == .float32 && row.count == count)
        return unsafe roundToBFloat16(
            UnsafeBufferPointer(row.floats), into: UnsafeMutableRawBufferPointer(bfloat16s))
    }

    /// Writes zeros, unless it adds.
    package func clear() {
        if !adds { unsafe start?.initializeMemory(as: UInt8.self, repeating: 0, count: count * type.size) }
    }

    private var floats: UnsafeMutableBufferPointer<Float> {
        unsafe UnsafeMutableBufferPointer(start: start?.assumingMemoryBound(to: Float.self), count: count)
    }

    private var bfloat16s: UnsafeMutableBufferPointer<UInt16> {
        unsafe UnsafeMutableBufferPointer(start: start?.assumingMemoryBound(to: UInt16.self), count: count)
    }
}

/// Where the gradients of an anchor's row and of its references' go.
package struct ContrastOutputs {
    package var anchor: RowOutput
    package var first: RowOutput
    package var second: RowOutput

    package init(anchor: RowOutput, first: RowOutput, second: RowOutput = .none) {
        self.anchor = anchor
        self.first = first
        self.second = second
    }
}
