package import Images
package import JSON

/// Adds normal noise of standard deviation `sigma` levels to every sample:
///
///     out = clip(rint(v + σ · ε), 0, 255)     product and sum in Float32, ties to even
///
/// where ε is the next value of `noise_seed`'s normal stream (see `NormalQuantiles`), in the order of the samples
/// [H, W, 3]. Equal to that formula in NumPy in every sample, on every machine.
package struct GaussianNoise: PerturbationStep, Equatable {
    package static let name = "gaussian_noise"
    package static let summary = "Adds normal noise of the given standard deviation to every sample."
    package static let parameters = [
        StepParameter("sigma", .number(0...1000), note: ", in levels of 0 … 255"),
        StepParameter("noise_seed", .seed),
    ]
    package static let identity: String? = "sigma 0, or so small that its noise rounds to nothing"

    let sigma: Double
    let noiseSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        sigma = try reader.number("sigma")
        noiseSeed = try reader.seed("noise_seed")
    }

    package var json: JSONValue {
        ["step": .string(Self.name), "sigma": .number(sigma), "noise_seed": .integer(noiseSeed)]
    }

    /// A level changes if its noise exceeds ½, which at worst happens once in about 30,000 samples.
    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        let scale = Float(sigma)
        let table = NormalQuantiles.table
        func moves(_ noise: Float) -> Bool {
            [1, 2, 254].contains { (Float($0) + noise).rounded(.toNearestOrEven) != Float($0) }
        }
        guard moves(scale * table[0]) || moves(scale * table[65535]) else { return true }
        var stream = NormalStream(seed: noiseSeed)
        return !(0..<(size.pixelCount * 3)).contains { _ in moves(scale * table[stream.nextIndex()]) }
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        .picture(size, extra: PixelImage.noiseTableBytes, operations: 52, perRow: 20)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let scale = Float(sigma)
        let noise = NormalQuantiles.table.map { scale * $0 }
        return try image.withNoise(noise, seed: noiseSeed, watch) { level, noise in
            UInt8(min(max((Float(level) + noise).rounded(.toNearestOrEven), 0), 255))
        }
    }
}

extension PixelImage {
    /// The table of results for each of the 65,536 values.
    static let noiseTableBytes = 65536 * MemoryLayout<Float>.stride

    /// Adds the next value of a seed's normal stream to every sample. `scaled` contains the result for each of the
    /// 65,536 values. Linear in the samples.
    @inline(__always)
    func withNoise(
        _ scaled: [Float], seed: Int64, _ watch: WorkWatch, _ mix: (UInt8, Float) -> UInt8
    ) throws(StepError) -> PixelImage {
        precondition(scaled.count == 65536, "one value for each sixteen bits")
        var samples = try copiedSamples(watch)
        var pixels = samples.mutableSpan
        let scaled = scaled.span
        var stream = NormalStream(seed: seed)
        for start in stride(from: 0, to: pixels.count, by: WorkWatch.band / 8) {
            try watch.goOn(WorkWatch.band)
            for index in start..<min(start + WorkWatch.band / 8, pixels.count) {
                pixels[index] = mix(pixels[index], scaled[stream.nextIndex()])
            }
        }
        return PixelImage(width: width, height: height, samples: samples)
    }
}
