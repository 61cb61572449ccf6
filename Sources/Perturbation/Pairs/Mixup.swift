package import Images
package import JSON

/// Blends the picture with a second one: out = s + weight · (v − s), Pillow's `Image.blend(second, picture, weight)`, in
/// Float32, truncated.
///
/// The second picture is first brought to the size of this one: `pad` scales it by r = min(width / its width, height /
/// its height) to ⌊its width · r⌋ × ⌊its height · r⌋ (at least 1 × 1), and pastes it centred on `fill`, as
/// Vision-Matters does; `stretch` scales each side by itself. Scaling is Pillow's `resize(…, BILINEAR)`.
/// Equal to these Pillow calls in every sample. (Vision-Matters scales with Lanczos, and to 256 × 256.)
package struct Mixup: PairStep, Equatable {
    package enum Fit: String, Sendable, CaseIterable {
        case pad, stretch
    }

    package static let name = "mixup"
    package static let summary =
        "Blends the picture with a second one of the request; `weight` is this picture's share."
    package static let parameters = [
        .image,
        StepParameter("weight", .number(0...1), note: ", this picture's share", standard: 0.8),
        StepParameter(
            "fit", .word(Fit.self), range: "pad (keeps the second picture's shape) or stretch",
            standard: "pad"),
        .fill(standard: .white),
    ]
    package static let identity: String? = "weight 1"

    package let image: PictureReference
    let weight: Double
    let fit: Fit
    let fill: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        image = try reader.picture("image")
        weight = try reader.number("weight")
        fit = try reader.choice("fit")
        fill = try reader.color("fill")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "image": image.json, "weight": .number(weight),
            "fit": .string(fit.rawValue), "fill": fill.json,
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { Float(weight) == 1 }

    package func outputSize(for size: PixelSize, beside other: PixelSize) throws(StepError) -> PixelSize {
        size
    }

    /// The second picture, scaled and framed. It becomes the result.
    package func demand(for size: PixelSize, beside other: PixelSize) -> WorkDemand {
        let inner = innerSize(of: other, in: size)
        let scaled = PixelImage.resizingDemand(from: other, to: inner)
        let framed = inner == size ? scaled : scaled.followed(by: .picture(size, operations: 8))
        return framed.costing(framed.operations.plusSaturating(size.pixelCount.timesSaturating(12)))
    }

    package func apply(
        to image: PixelImage, beside other: PixelImage, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage {
        var samples = try fitted(other, to: image.size, watch)
        let weight = Float(weight)
        var pixels = samples.mutableSpan
        let originals = image.pixels
        let own = originals.span
        for start in stride(from: 0, to: pixels.count, by: WorkWatch.band) {
            try watch.goOn(WorkWatch.band)
            for index in start..<min(start + WorkWatch.band, pixels.count) {
                let change = Int32(own[index]) - Int32(pixels[index])
                pixels[index] = UInt8(Float(pixels[index]) + weight * Float(change))
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }

    /// Returns the samples of the second picture as it is mixed in, uniquely referenced.
    private func fitted(
        _ other: PixelImage, to size: PixelSize, _ watch: WorkWatch
    ) throws(StepError) -> [UInt8] {
        let inner = innerSize(of: other.size, in: size)
        let scaled = try other.resized(to: inner, watch)
        guard inner != size else { return scaled.samples }
        var samples = try PixelImage.blankSamples(size, fill, watch)
        var pixels = samples.mutableSpan
        try pixels.paste(
            scaled, left: (size.width - inner.width) / 2, top: (size.height - inner.height) / 2,
            stride: size.width, watch)
        return samples
    }

    /// The size of the second picture without its frame.
    private func innerSize(of other: PixelSize, in size: PixelSize) -> PixelSize {
        guard fit == .pad else { return size }
        let ratio = min(
            Double(size.width) / Double(other.width), Double(size.height) / Double(other.height))
        return PixelSize(
            width: max(1, Int(Double(other.width) * ratio)), height: max(1, Int(Double(other.height) * ratio))
        )
    }
}
