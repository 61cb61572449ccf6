internal import Glibc
package import Images
package import JSON

/// The picture after step t of 1,000 of a diffusion model's forward process, which VCD, NoisyRollout and others use to
/// add noise: with β_i = sigmoid(−6 + 12 i / 999) · (0.005 − 1e-5) + 1e-5 and ᾱ_t = Π (1 − β_i) over i = 0 … t,
///
///     x = v / 255,  y = √ᾱ_t · x + √(1 − ᾱ_t) · ε,  out = ⌊255 · clip(y, 0, 1)⌋     all in Float32
///
/// where ε is the next value of `noise_seed`'s normal stream (see `NormalQuantiles`), in the order of the samples
/// [H, W, 3]. Both roots are computed in Double and rounded to Float32; PyTorch's in Float32 differ by at most 5e-6.
/// Equal to the formula in NumPy in every sample, on every machine. Truncation is torchvision's `to_pil_image`.
package struct DiffusionNoise: PerturbationStep, Equatable {
    package static let name = "diffusion_noise"
    package static let summary =
        "Normal noise as of a diffusion model's step t: the picture fades while the noise grows. "
        + "t 500 keeps 0.863 of the picture's contrast, t 900 0.365."
    package static let parameters = [
        StepParameter("t", .integer(0...999)),
        StepParameter("noise_seed", .seed),
    ]
    /// Step 0 already adds noise of about one level.
    package static let identity: String? = nil

    let t: Int
    let noiseSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        t = try reader.integer("t")
        noiseSeed = try reader.seed("noise_seed")
    }

    package var json: JSONValue {
        ["step": .string(Self.name), "t": .integer(Int64(t)), "noise_seed": .integer(noiseSeed)]
    }

    /// √ᾱ_t and √(1 − ᾱ_t) for t = 0 … 999. The order of the products is fixed. `exp` may differ in its last bit
    /// between C libraries, but this changes none of the rounded values, which are at least 3e-12 from the midpoint of
    /// two floats.
    static let coefficients: [(signal: Float, noise: Float)] = {
        var kept = 1.0
        return (0..<1000).map { index in
            let position = -6 + 12 * Double(index) / 999
            let beta = 1 / (1 + exp(-position)) * (0.005 - 1e-5) + 1e-5
            kept *= 1 - beta
            return (Float(kept.squareRoot()), Float((1 - kept).squareRoot()))
        }
    }()

    /// In the smallest pictures all samples may happen to keep their levels.
    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        let (signal, scale) = Self.coefficients[t]
        var stream = NormalStream(seed: noiseSeed)
        return !(0..<(size.pixelCount * 3)).contains { _ in
            let noise = scale * NormalQuantiles.table[stream.nextIndex()]
            return (0...255).contains { level in
                UInt8(min(max(signal * (Float(level) / 255) + noise, 0), 1) * 255) != level
            }
        }
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        .picture(size, extra: PixelImage.noiseTableBytes + 2048, operations: 52, perRow: 20)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let (signal, scale) = Self.coefficients[t]
        let levels = (0...255).map { signal * (Float($0) / 255) }
        let noise = NormalQuantiles.table.map { scale * $0 }
        return try image.withNoise(noise, seed: noiseSeed, watch) { level, noise in
            UInt8(min(max(levels[Int(level)] + noise, 0), 1) * 255)
        }
    }
}
