package import Images
package import JSON

/// Cuts out a rectangle and stretches it to the picture's size, as Pillow's `crop` and `resize(…, BILINEAR)`, with
/// its antialiasing and fixed point.
///
/// Equal to Pillow in every sample.
package struct ZoomCrop: PerturbationStep, Equatable {
    package static let name = "zoom_crop"
    package static let summary = "Cuts out a rectangle and stretches it to the picture's size."
    package static let parameters = [
        StepParameter("left", type: "integer", range: "0 … picture's width − width"),
        StepParameter("top", type: "integer", range: "0 … picture's height − height"),
        StepParameter("width", type: "integer", range: "1 … picture's width"),
        StepParameter("height", type: "integer", range: "1 … picture's height"),
    ]

    package static let identity: String? = "left 0, top 0, width and height those of the picture"

    let left, top, width, height: Int

    init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        let most = Int64(Int32.max)
        left = Int(try reader.integer("left", in: 0...most))
        top = Int(try reader.integer("top", in: 0...most))
        width = Int(try reader.integer("width", in: 1...most))
        height = Int(try reader.integer("height", in: 1...most))
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "left": .integer(Int64(left)), "top": .integer(Int64(top)),
            "width": .integer(Int64(width)), "height": .integer(Int64(height)),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { width == size.width && height == size.height }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        guard left + width <= size.width, top + height <= size.height else {
            throw .doesNotFit(
                step: Self.name, path: left + width <= size.width ? "height" : "width",
                detail:
                    "the rectangle at (\(left), \(top)) of \(width) × \(height) pixels reaches outside the "
                    + "picture of \(size) pixels")
        }
        return size
    }

    package func demand(for size: PixelSize) -> WorkDemand { Resampling.demand(for: crop, to: size) }

    private var crop: Resampling.Crop { .init(left: left, top: top, width: width, height: height) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        return try Resampling.bilinear(image, crop: crop, to: image.size, watch)
    }
}
