// The Swift interface to the C kernels over an anchor's row and its references', and to those of one row that compute in Double lanes
// as they do.
internal import CLogitKernels
import Glibc

/// What makes a row's logits probabilities: with x = z − pivot and e = exp(x/T), e / sum is one.
struct RowScale {
    /// A logit near the top.
    var pivot: Double
    /// Σ e; 1 until it is known.
    var sum = 1.0

    init(pivot: Double) { self.pivot = pivot }

    fileprivate func row(_ bytes: UnsafeRawBufferPointer) -> logit_kernels_row {
        unsafe logit_kernels_row(
            logits: bytes.baseAddress, pivot: pivot, scale: 1 / sum, log_scale: -log(sum))
    }
}

/// The scales of an anchor's row and of its references'.
struct ContrastScales {
    var anchor: RowScale
    var references: PerReference<RowScale>
}

/// What one reference gives to the gradients: see `logit_kernels_slope`. All zeros where the slope is.
struct ReferenceSlope {
    var slope = 0.0
    var anchorLevel = 0.0
    var level = 0.0
}

/// The kernels over one token's rows: V logits each, one of them finite, neither NaN nor +inf. The second reference's span
/// is empty where there is one only.
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
        /// The largest logit of the reference where the anchor has −inf; −inf where there is none.
        var uncovering: Double
    }

    /// The two halves of a symmetric divergence: see `logit_kernels_halves`.
    struct Halves {
        var anchor: Double
        var reference: Double
    }

    /// Fills in the sums of `scales`.
    func contrast(
        _ anchor: RawSpan, _ first: RawSpan, _ second: RawSpan, _ scales: inout ContrastScales
    ) -> PerReference<Crossed> {
        var found = logit_kernels_contrast()
        unsafe withRows(anchor, first, second, scales) { rows, references, count in
            unsafe table.contrast(rows, references, count, element.code, temperature, &found)
        }
        scales.anchor.sum = found.sum.0
        scales.references.first.sum = found.sum.1
        if scales.references.second != nil { scales.references.second?.sum = found.sum.2 }
        return PerReference(
            Crossed(
                mean: found.crossed.0 / found.sum.0, uncovered: Double(found.uncovered.0),
                uncovering: Double(found.uncovering.0)),
            scales.references.second.map { _ in
                Crossed(
                    mean: found.crossed.1 / found.sum.0, uncovered: Double(found.uncovered.1),
                    uncovering: Double(found.uncovering.1))
            })
    }

    /// The halves of Jensen–Shannon's or Jeffreys' divergence, for each reference.
    func halves(
        of divergence: Divergence, _ anchor: RawSpan, _ first: RawSpan, _ second: RawSpan,
        _ scales: ContrastScales
    ) -> PerReference<Halves> {
        var found = logit_kernels_halves()
        let sums =
            switch divergence {
            case .jensenShannon: unsafe table.jensen_shannon
            case .jeffreys: unsafe table.jeffreys
            case .kullbackLeibler: preconditionFailure("KL has no halves")
            }
        unsafe withRows(anchor, first, second, scales) { rows, references, count in
            unsafe sums?(rows, references, count, element.code, temperature, &found)
        }
        return PerReference(
            Halves(anchor: found.anchor.0, reference: found.reference.0),
            scales.references.second.map { _ in
                Halves(anchor: found.anchor.1, reference: found.reference.1)
            })
    }

    /// Writes the gradients, or adds them; an empty output is left alone.
    /// - Returns: whether everything written is finite.
    func writeGradients(
        _ divergence: Divergence, _ anchor: RawSpan, _ first: RawSpan, _ second: RawSpan,
        _ scales: ContrastScales, _ slopes: PerReference<ReferenceSlope>,
        to outputs: inout ContrastOutputs
    ) -> Bool {
        let codes = [slopes.first, slopes.second ?? ReferenceSlope()].map {
            logit_kernels_slope(slope: $0.slope, anchor_level: $0.anchorLevel, level: $0.level)
        }
        let write =
            switch divergence {
            case .kullbackLeibler: unsafe table.kullback_leibler_gradient
            case .jensenShannon: unsafe table.jensen_shannon_gradient
            case .jeffreys: unsafe table.jeffreys_gradient
            }
        let places = unsafe [outputs.anchor.place, outputs.first.place, outputs.second.place]
        return unsafe withRows(anchor, first, second, scales) { rows, references, count in
            unsafe write?(rows, references, count, element.code, temperature, codes, places) != 0
        }
    }

    /// Σ e of one row.
    func sum(_ logits: RawSpan, _ scale: RowScale) -> Double {
        unsafe logits.withUnsafeBytes { bytes in
            var row = unsafe scale.row(bytes)
            return unsafe table.sum(&row, bytes.count / element.size, element.code, temperature)
        }
    }

    /// Writes factor · softmax(z/T) of one row, or adds it.
    /// - Returns: whether everything written is finite.
    func writeSoftmax(
        _ logits: RawSpan, _ scale: RowScale, factor: Double, to output: RowOutput
    ) -> Bool {
        unsafe logits.withUnsafeBytes { bytes in
            var row = unsafe scale.row(bytes)
            var place = unsafe output.place
            return unsafe table.softmax(
                &row, bytes.count / element.size, element.code, temperature, factor, &place) != 0
        }
    }

    private var table: logit_kernels_contrast_table {
        guard let table = unsafe logit_kernels_contrast_for(instructionSet.number) else {
            preconditionFailure("this machine has no \(instructionSet)")
        }
        return unsafe table.pointee
    }

    private func withRows<Result>(
        _ anchor: RawSpan, _ first: RawSpan, _ second: RawSpan, _ scales: ContrastScales,
        _ body: (UnsafePointer<logit_kernels_row>, Int32, Int) -> Result
    ) -> Result {
        unsafe anchor.withUnsafeBytes { a in
            unsafe first.withUnsafeBytes { f in
                unsafe second.withUnsafeBytes { s in
                    var rows = unsafe [scales.anchor.row(a), scales.references.first.row(f)]
                    if let scale = scales.references.second { unsafe rows.append(scale.row(s)) }
                    return unsafe rows.withUnsafeBufferPointer { rows in
                        guard let start = rows.baseAddress else { preconditionFailure("no rows") }
                        return unsafe body(start, Int32(rows.count - 1), a.count / element.size)
                    }
                }
            }
        }
    }
}

extension RowOutput {
    fileprivate var place: logit_kernels_output {
        precondition(type == .float32 || !adds, "each part of a sum would be rounded")
        return unsafe logit_kernels_output(
            values: start, element: type == .float32 ? LOGIT_KERNELS_F32 : LOGIT_KERNELS_BF16,
            adds: adds ? 1 : 0)
    }
}
