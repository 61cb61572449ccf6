import Glibc
import Tensor

extension RowStatistics {
    /// Where 32-bit and 16-bit logits count as probability 0, relative to the pivot: Float's normal range ends there.
    static let leastExponent = -87.0

    /// Adds one block in Double throughout: F64 logits, and those that Float lanes can't resolve, such as logits of 1e7 or
    /// a temperature of 1e-30.
    /// - Parameter isPivoted: the pivot is the block's maximum already and stands in it.
    mutating func addWide(_ block: RawSpan, as type: ElementType, isPivoted: Bool = false) {
        switch type {
        case .float64: addWide(block, isPivoted, least: -.infinity) { (value: Double) in value }
        case .float32:
            addWide(block, isPivoted, least: Self.leastExponent) { (value: Float) in Double(value) }
        case .bfloat16:
            addWide(block, isPivoted, least: Self.leastExponent) { (value: UInt16) in
                Double(bfloat16ToFloat(value))
            }
        case .float16:
            addWide(block, isPivoted, least: Self.leastExponent) { (value: UInt16) in
                Double(halfToFloat(value))
            }
        case .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64:
            preconditionFailure("logits are floats, not \(type)")
        }
    }

    @inline(__always)
    private mutating func addWide<Stored: BitwiseCopyable>(
        _ block: RawSpan, _ isPivoted: Bool, least: Double, _ widened: (Stored) -> Double
    ) {
        let size = MemoryLayout<Stored>.size
        let count = block.byteCount / size
        // In bounds: index < count.
        func logit(_ index: Int) -> Double {
            widened(unsafe block.unsafeLoadUnaligned(fromUncheckedByteOffset: index * size, as: Stored.self))
        }
        var leavesOut = isPivoted
        if !isPivoted {
            var maximum = -Double.infinity
            for index in 0..<count {
                let z = logit(index)
                if z.isNaN { isPoisoned = true }
                if z > maximum { maximum = z }
            }
            if maximum > pivot {
                raise(to: maximum, least: least)
                leavesOut = true
            }
        }
        guard !isPoisoned, pivot > -.infinity, pivot < .infinity else { return }
        for index in 0..<count {
            let z = logit(index)
            if leavesOut, z == pivot {
                leavesOut = false
                continue
            }
            let x = (z - pivot) * inverseTemperature
            let e = exp(x)
            // −inf, and differences beyond Double's range, give e = 0, whose product with x is no number.
            guard e > 0, x >= least else { continue }
            sum += e
            weightedSum += e * x
        }
    }
}
