// The door to the C kernels of three rows, and to those of one row that compute in Double lanes as they do.
internal import CLogitKernels
import Glibc

/// What makes a row's logits probabilities: with x = z − anchor and e = exp(x/T), e / sum is one.
struct RowScale {
    /// A logit near the top.
    var anchor: Double
    /// Σ e; 1 until it is known.
    var sum = 1.0

    init(anchor: Double) { self.anchor = anchor }

    fileprivate func row(_ bytes: UnsafeRawBufferPointer) -> perception_row {
        unsafe perception_row(
            logits: bytes.baseAddress, anchor: anchor, scale: 1 / sum, log_scale: -log(sum))
    }
}

struct ViewScales {
    var original: RowScale
    var preserving: RowScale
    var removing: RowScale
}

/// What one reference gives to the gradients: see `perception_slope`. All zeros where the slope is.
struct ReferenceSlope {
    var slope = 0.0
    var anchorLevel = 0.0
    var level = 0.0
}

/// The kernels over one token's rows under the three views: V logits each, one of them finite, neither NaN nor +inf.
struct ContrastKernels {
    let element: KernelElement
    let temperature: Double
    let instructionSet: InstructionSet

    /// What a row's sums say of the anchor and one reference.
    struct Crossed {
        /// E[x_a − x_r] under the anchor's distribution, in units of logits; −inf counts as −2^240.
        var mean: Double
        /// The largest logit of the anchor where the reference has −inf; −inf where there is none.
        var uncovered: Double
    }

    /// Fills in the sums of `scales`.
    func contrast(
        _ original: RawSpan, _ preserving: RawSpan, _ removing: RawSpan, _ scales: inout ViewScales
    ) -> (preserving: Crossed, removing: Crossed) {
        var found = perception_contrast()
        unsafe withRows(original, preserving, removing, scales) { rows, count in
            unsafe table.contrast(rows, count, element.code, temperature, &found)
        }
        scales.original.sum = found.sum.0
        scales.preserving.sum = found.sum.1
        scales.removing.sum = found.sum.2
        return (
            Crossed(mean: found.crossed.0 / found.sum.0, uncovered: Double(found.uncovered.0)),
            Crossed(mean: found.crossed.1 / found.sum.0, uncovered: Double(found.uncovered.1))
        )
    }

    /// KL(x ‖ m) of the anchor and of the reference from their mean m, for both references.
    func mixture(
        _ original: RawSpan, _ preserving: RawSpan, _ removing: RawSpan, _ scales: ViewScales
    ) -> (preserving: (anchor: Double, reference: Double), removing: (anchor: Double, reference: Double)) {
        var found = perception_mixture()
        unsafe withRows(original, preserving, removing, scales) { rows, count in
            unsafe table.mixture(rows, count, element.code, temperature, &found)
        }
        return ((found.anchor.0, found.reference.0), (found.anchor.1, found.reference.1))
    }

    /// Writes the gradients; an empty output is left alone.
    /// - Returns: whether everything written is finite.
    func writeGradients(
        _ divergence: Divergence, _ original: RawSpan, _ preserving: RawSpan, _ removing: RawSpan,
        _ scales: ViewScales, _ slopes: (preserving: ReferenceSlope, removing: ReferenceSlope),
        toOriginal: inout MutableSpan<Float>, toPreserving: inout MutableSpan<Float>,
        toRemoving: inout MutableSpan<Float>
    ) -> Bool {
        let codes = [slopes.preserving, slopes.removing].map {
            perception_slope(slope: $0.slope, anchor_level: $0.anchorLevel, level: $0.level)
        }
        let write =
            switch divergence {
            case .kullbackLeibler: unsafe table.kullback_leibler_gradient
            case .jensenShannon: unsafe table.jensen_shannon_gradient
            }
        return unsafe toOriginal.withUnsafeMutableBufferPointer { toOriginal in
            unsafe toPreserving.withUnsafeMutableBufferPointer { toPreserving in
                unsafe toRemoving.withUnsafeMutableBufferPointer { toRemoving in
                    let outputs = unsafe [toOriginal, toPreserving, toRemoving].map {
                        $0.isEmpty ? nil : $0.baseAddress
                    }
                    return unsafe withRows(original, preserving, removing, scales) { rows, count in
                        unsafe write?(rows, count, element.code, temperature, codes, outputs) != 0
                    }
                }
            }
        }
    }

    /// Σ e of one row.
    func sum(_ logits: RawSpan, _ scale: RowScale) -> Double {
        unsafe logits.withUnsafeBytes { bytes in
            var row = unsafe scale.row(bytes)
            return unsafe table.sum(&row, bytes.count / element.size, element.code, temperature)
        }
    }

    /// Writes factor · softmax(z/T) of one row.
    /// - Returns: whether everything written is finite.
    func writeSoftmax(
        _ logits: RawSpan, _ scale: RowScale, factor: Double, into output: inout MutableSpan<Float>
    ) -> Bool {
        unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe logits.withUnsafeBytes { bytes in
                var row = unsafe scale.row(bytes)
                return unsafe table.softmax(
                    &row, bytes.count / element.size, element.code, temperature, factor, output.baseAddress)
                    != 0
            }
        }
    }

    private var table: perception_contrast_kernels {
        guard let table = unsafe perception_contrast_kernels_for(instructionSet.number) else {
            preconditionFailure("this machine has no \(instructionSet)")
        }
        return unsafe table.pointee
    }

    private func withRows<Result>(
        _ original: RawSpan, _ preserving: RawSpan, _ removing: RawSpan, _ scales: ViewScales,
        _ body: (UnsafePointer<perception_row>, Int) -> Result
    ) -> Result {
        unsafe original.withUnsafeBytes { a in
            unsafe preserving.withUnsafeBytes { p in
                unsafe removing.withUnsafeBytes { n in
                    let rows = unsafe [
                        scales.original.row(a), scales.preserving.row(p), scales.removing.row(n),
                    ]
                    return unsafe rows.withUnsafeBufferPointer { rows in
                        guard let first = rows.baseAddress else { preconditionFailure("three rows") }
                        return unsafe body(first, a.count / element.size)
                    }
                }
            }
        }
    }
}
