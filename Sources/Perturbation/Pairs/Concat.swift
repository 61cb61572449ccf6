package import Images
package import JSON

/// Puts a second picture beside this one. It is first scaled to this one's height h, to the width ⌊its width · h / its
/// height⌋, at least 1, by Pillow's `resize(…, BILINEAR)`. Equal to Pillow's `resize` and `paste` in every sample.
///
/// Changes the size. (Vision-Matters then squeezes both halves to half of the wider one's width, with OpenCV's cubic
/// filter; here both keep their shape.)
package struct Concat: PairStep, Equatable {
    package enum Side: String, Sendable, CaseIterable {
        case right, left
    }

    package static let name = "concat"
    package static let summary =
        "Puts a second picture of the request beside this one, scaled to the same height."
    package static let parameters = [
        .image,
        StepParameter("side", .word(Side.self), note: ": where it stands", standard: "right"),
    ]
    package static let identity: String? = nil
    package static let changesSize: String? = "always: wider by the second picture"

    package let image: PictureReference
    let side: Side

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        image = try reader.picture("image")
        side = try reader.choice("side")
    }

    package var json: JSONValue {
        ["step": .string(Self.name), "image": image.json, "side": .string(side.rawValue)]
    }

    package var keepsSize: Bool { false }

    package func outputSize(for size: PixelSize, beside other: PixelSize) throws(StepError) -> PixelSize {
        let joined = PixelSize(
            width: size.width + scaledWidth(of: other, to: size.height), height: size.height)
        guard joined.pixelCount <= Self.mostPixels else {
            throw .doesNotFit(
                step: Self.name, path: "image",
                detail: "the pictures of \(size) and \(other) pixels would become one of \(joined), over "
                    + "\(Self.mostPixels) pixels")
        }
        return joined
    }

    private func scaledWidth(of other: PixelSize, to height: Int) -> Int {
        max(1, Int((Double(other.width) * Double(height) / Double(other.height))))
    }

    /// The second picture, scaled, then both in one.
    package func demand(for size: PixelSize, beside other: PixelSize) -> WorkDemand {
        guard let joined = try? outputSize(for: size, beside: other) else { return .nothing }
        let scaled = PixelImage.resizingDemand(
            from: other, to: PixelSize(width: joined.width - size.width, height: size.height))
        return scaled.followed(by: .picture(joined, operations: 8, perRow: 80))
    }

    package func apply(
        to image: PixelImage, beside other: PixelImage, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage {
        let size = try outputSize(for: image.size, beside: other.size)
        let scaled = try other.resized(
            to: PixelSize(width: size.width - image.width, height: size.height), watch)
        let isRight = side == .right
        var samples = try PixelImage.blankSamples(size, .black, watch)
        var pixels = samples.mutableSpan
        try pixels.paste(image, left: isRight ? 0 : scaled.width, top: 0, stride: size.width, watch)
        try pixels.paste(scaled, left: isRight ? image.width : 0, top: 0, stride: size.width, watch)
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }
}
