/// Where one row's gradients go, [V] of F32, and whether they are added to what is there.
///
/// Whoever makes one keeps the memory alive while it is used, and gives no other thread the same row.
@safe
package struct RowOutput {
    let memory: UnsafeMutableBufferPointer<Float>
    package var adds: Bool

    /// - Parameter memory: V elements; none for a row that isn't wanted.
    package init(_ memory: UnsafeMutableBufferPointer<Float>, adds: Bool = false) {
        // An empty buffer may have an address; a kernel takes an address for a wish.
        unsafe self.memory = memory.isEmpty ? UnsafeMutableBufferPointer(start: nil, count: 0) : memory
        self.adds = adds
    }

    /// A row that isn't wanted.
    package static var none: RowOutput { unsafe RowOutput(UnsafeMutableBufferPointer(start: nil, count: 0)) }

    package var isWanted: Bool { unsafe !memory.isEmpty }
    /// V; 0 for a row that isn't wanted.
    package var count: Int { unsafe memory.count }

    /// Rounds to Float, and writes or adds; nothing for a row that isn't wanted.
    /// - Returns: whether all that was written is finite.
    func put(_ values: [Double]) -> Bool {
        guard isWanted else { return true }
        precondition(values.count == count)
        var isFinite = true
        for index in values.indices {
            let value = unsafe Float(adds ? values[index] + Double(memory[index]) : values[index])
            unsafe memory[index] = value
            if !value.isFinite { isFinite = false }
        }
        return isFinite
    }

    func value(at index: Int) -> Double { unsafe Double(memory[index]) }

    /// Rounds one element to Float, whatever was there.
    /// - Returns: whether it is finite.
    func set(_ value: Double, at index: Int) -> Bool {
        unsafe memory[index] = Float(value)
        return Float(value).isFinite
    }

    /// Writes zeros, unless it adds.
    package func clear() {
        if !adds { unsafe memory.update(repeating: 0) }
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
