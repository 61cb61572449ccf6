package import Images
package import JSON

/// Cuts out a rectangle and stretches it to the picture's size, as Pillow's `crop` and `resize(…, BILINEAR)`, with
/// its antialiasing and fixed point.
///
/// Equal to Pillow in every sample.
package struct ZoomCrop: PerturbationStep, Equatable {
    package static let name = "zoom_crop"
    package static let summary = "Cuts out a rectangle and stretches it to the picture's size."
    package static let parameters = PixelRectangle.parameters(least: 1)
    package static let identity: String? = "left 0, top 0, width and height those of the picture"

    let crop: PixelRectangle

    init(_ crop: PixelRectangle) { self.crop = crop }

    package init(parameters: JSONValue) throws(StepError) {
        crop = try PixelRectangle(ParameterReader(parameters, for: Self.self))
    }

    package var json: JSONValue {
        .object([.init("step", .string(Self.name))] + crop.members)
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { crop.size == size }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        try crop.check(fits: size, of: Self.name)
        return size
    }

    package func demand(for size: PixelSize) -> WorkDemand { Resampling.demand(for: crop, to: size) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        return try Resampling.bilinear(image, crop: crop, to: image.size, watch)
    }
}
