import Glibc
import Tensor
import Testing
import TokenDistribution

// What `RowContrast` says of a triple's rows.

extension RowContrast {
    /// - Parameter references: 2, or 1 for the first alone.
    func divergences(
        of triple: RowTriple, _ type: ElementType, references: Int = 2, offset: Int = 0
    ) -> PerReference<Double> {
        triple.withBytes(type, offset: offset) { anchor, first, second in
            divergences(
                anchor: anchor, first: first, second: references == 2 ? second : RawSpan(), as: type,
                anchorStatistics: statistics(anchor, as: type),
                referenceStatistics: PerReference(
                    statistics(first, as: type), references == 2 ? statistics(second, as: type) : nil))
        }
    }

    /// Gradients of the rows that are wanted, by their place; of the others an empty list.
    /// - Parameters:
    ///   - slopes: one or two; of one there is no second row.
    ///   - base: what is there before, and is added to; nil for rows that are written over.
    func gradients(
        of triple: RowTriple, _ type: ElementType, _ slopes: PerReference<Double>, offset: Int = 0,
        wanted: Set<Int> = [0, 1, 2], base: Float? = nil
    ) -> (rows: [[Float]], isFinite: Bool) {
        let width = triple.anchor.count
        let wanted = slopes.second == nil ? wanted.subtracting([2]) : wanted
        var memory = [Float](repeating: base ?? .nan, count: 3 * width)
        let isFinite = unsafe memory.withUnsafeMutableBufferPointer { memory in
            func output(_ row: Int) -> RowOutput {
                guard wanted.contains(row) else { return .none }
                return unsafe RowOutput(
                    UnsafeMutableBufferPointer(rebasing: memory[row * width..<(row + 1) * width]),
                    adds: base != nil)
            }
            var outputs = ContrastOutputs(anchor: output(0), first: output(1), second: output(2))
            return triple.withBytes(type, offset: offset) { anchor, first, second in
                writeGradients(
                    anchor: anchor, first: first, second: slopes.second == nil ? RawSpan() : second, as: type,
                    slopes: slopes, to: &outputs)
            }
        }
        for row in 0..<3 where !wanted.contains(row) {
            #expect(
                memory[row * width..<(row + 1) * width].allSatisfy { $0 == base || $0.isNaN },
                "what isn't wanted is left alone")
        }
        return (
            (0..<3).map { wanted.contains($0) ? Array(memory[$0 * width..<($0 + 1) * width]) : [] }, isFinite
        )
    }
}

extension RowContrast {
    /// The same as BF16, written over what was there.
    func bfloat16s(
        of triple: RowTriple, _ type: ElementType, _ slopes: PerReference<Double>, offset: Int = 0
    ) -> (rows: [[UInt16]], isFinite: Bool) {
        let width = triple.anchor.count
        let count = slopes.second == nil ? 2 : 3
        var memory = [UInt16](repeating: 0xABCD, count: count * width)
        let isFinite = unsafe memory.withUnsafeMutableBytes { memory in
            func output(_ row: Int) -> RowOutput {
                if row == count { return .none }
                let bytes = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: memory[2 * row * width..<2 * (row + 1) * width])
                return unsafe RowOutput(bytes, as: .bfloat16)
            }
            var outputs = ContrastOutputs(anchor: output(0), first: output(1), second: output(2))
            return triple.withBytes(type, offset: offset) { anchor, first, second in
                writeGradients(
                    anchor: anchor, first: first, second: slopes.second == nil ? RawSpan() : second, as: type,
                    slopes: slopes, to: &outputs)
            }
        }
        return ((0..<count).map { Array(memory[$0 * width..<($0 + 1) * width]) }, isFinite)
    }
}

/// The same in the obvious way, from log-probabilities held in Double.
struct TripleTwin {
    let anchor: [Double]
    let first: [Double]
    let second: [Double]
    private let divergence: Divergence
    private let temperature: Double

    init(_ divergence: Divergence, _ triple: RowTriple, temperature: Double) {
        self.divergence = divergence
        self.temperature = temperature
        anchor = obviousLogProbabilities(triple.anchor, temperature)
        first = obviousLogProbabilities(triple.first, temperature)
        second = obviousLogProbabilities(triple.second, temperature)
    }

    var divergences: (first: Double, second: Double) {
        (
            divergence.value(anchor: anchor, reference: first),
            divergence.value(anchor: anchor, reference: second)
        )
    }

    /// [3][V]
    func gradients(_ slopes: PerReference<Double>) -> [[Double]] {
        var rows = [[Double]](repeating: [Double](repeating: 0, count: anchor.count), count: 3)
        for (place, slope) in [(1, slopes.first), (2, slopes.second ?? 0)] {
            var (toAnchor, toReference) = (rows[0], rows[place])
            divergence.addGradient(
                anchor: anchor, reference: place == 1 ? first : second, scale: slope,
                temperature: temperature, toAnchor: &toAnchor, toReference: &toReference)
            rows[0] = toAnchor
            rows[place] = toReference
        }
        return rows
    }
}

/// log softmax(z/T) in the obvious way.
func obviousLogProbabilities(_ logits: [Float], _ temperature: Double) -> [Double] {
    let maximum = Double(logits.max() ?? 0)
    let differences = logits.map { (Double($0) - maximum) / temperature }
    let logSum = log(RowTwin.sum(differences.map { exp($0) }))
    return differences.map { $0 - logSum }
}
