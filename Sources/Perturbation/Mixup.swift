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
        StepParameter(
            "image", type: "string or integer",
            range: "the second picture: its id, or its index in the request"),
        StepParameter("weight", type: "number", range: "0 … 1, this picture's share", standard: 0.8),
        StepParameter(
            "fit", type: "name", range: "pad (keeps the second picture's shape) or stretch", standard: "pad"),
        StepParameter(
            "fill", type: "integer or [red, green, blue]", range: "0 … 255", standard: [255, 255, 255]),
    ]
    package static let identity: String? = "weight 1"

    package let image: PictureReference
    let weight: Double
    let fit: Fit
    let fill: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        image = try reader.picture("image")
        weight = try reader.number("weight", in: 0...1, standard: 0.8)
        fit = try reader.choice("fit", standard: .pad)
        fill = try reader.color("fill", standard: .white)
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

    package func apply(to image: PixelImage, beside other: PixelImage) throws(StepError) -> PixelImage {
        let second = fitted(other, to: image.size)
        let weight = Float(weight)
        var samples = image.samples
        var pixels = samples.mutableSpan
        let other = second.samples.span
        for index in pixels.indices {
            let change = Int32(pixels[index]) - Int32(other[index])
            pixels[index] = UInt8(Float(other[index]) + weight * Float(change))
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }

    private func fitted(_ other: PixelImage, to size: PixelSize) -> PixelImage {
        guard fit == .pad else { return other.resized(to: size) }
        let ratio = min(
            Double(size.width) / Double(other.width), Double(size.height) / Double(other.height))
        let inner = PixelSize(
            width: max(1, Int(Double(other.width) * ratio)), height: max(1, Int(Double(other.height) * ratio))
        )
        let scaled = other.resized(to: inner)
        guard inner != size else { return scaled }
        return PixelImage.blank(size, fill).pasting(
            scaled, left: (size.width - inner.width) / 2, top: (size.height - inner.height) / 2)
    }
}

extension PixelImage {
    /// Pillow's `resize(size, BILINEAR)`. Since version 13 the vertical pass comes first where the height loses more than
    /// twice as many pixels as the width; the rounding in between shows it.
    package func resized(to size: PixelSize) -> PixelImage {
        let isMuchLower = height > size.height && height - size.height > 2 * (width - size.width)
        guard isMuchLower, width != size.width else { return stretched(to: size) }
        return stretched(to: PixelSize(width: width, height: size.height)).stretched(to: size)
    }

    private func stretched(to size: PixelSize) -> PixelImage {
        Resampling.bilinear(self, crop: .init(left: 0, top: 0, width: width, height: height), to: size)
    }
}
