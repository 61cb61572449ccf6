package import Images
package import JSON

/// Covers one rectangle with one color. Equal to Pillow's `paste` of that color in every sample.
///
/// In a recipe the rectangle is drawn by `side_ratio` r, as NoisyRollout's box: ⌊r · side⌋ of both sides, anywhere
/// inside.
package struct CropFill: PerturbationStep, Equatable {
    package static let name = "crop_fill"
    package static let summary = "Covers one rectangle with one color."
    package static let parameters = PixelRectangle.parameters(least: 0) + [.fill()]
    package static let identity: String? = "width 0 or height 0"

    let rectangle: PixelRectangle
    let fill: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        rectangle = try PixelRectangle(reader)
        fill = try reader.color("fill")
    }

    package var json: JSONValue {
        .object([.init("step", .string(Self.name))] + rectangle.members + [.init("fill", fill.json)])
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { rectangle.size.pixelCount == 0 }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        try rectangle.check(fits: size, of: Self.name)
        return size
    }

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 8, perRow: 34) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        try pixels.fill(
            left: rectangle.left, top: rectangle.top, width: rectangle.width, height: rectangle.height,
            stride: image.width, with: fill, watch)
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
