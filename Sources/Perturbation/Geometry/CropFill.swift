package import Images
package import JSON

/// Covers one rectangle with one color. Equal to Pillow's `paste` of that color in every sample.
///
/// In a recipe the rectangle is drawn by `side_ratio` r, as NoisyRollout's box: ⌊r · side⌋ of both sides, anywhere
/// inside.
package struct CropFill: PerturbationStep, Equatable {
    package static let name = "crop_fill"
    package static let summary = "Covers one rectangle with one color."
    package static let parameters = [
        StepParameter("left", type: "integer", range: "0 … picture's width − width"),
        StepParameter("top", type: "integer", range: "0 … picture's height − height"),
        StepParameter("width", type: "integer", range: "0 … picture's width"),
        StepParameter("height", type: "integer", range: "0 … picture's height"),
        StepParameter(
            "fill", type: "integer or [red, green, blue]", range: "0 … 255", standard: [0, 0, 0]),
    ]
    package static let identity: String? = "width 0 or height 0"

    let left, top, width, height: Int
    let fill: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        let range = 0...Int64(Int32.max)
        left = Int(try reader.integer("left", in: range))
        top = Int(try reader.integer("top", in: range))
        width = Int(try reader.integer("width", in: range))
        height = Int(try reader.integer("height", in: range))
        fill = try reader.color("fill")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "left": .integer(Int64(left)), "top": .integer(Int64(top)),
            "width": .integer(Int64(width)), "height": .integer(Int64(height)), "fill": fill.json,
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { width == 0 || height == 0 }

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

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 8, perRow: 34) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        try pixels.fill(
            left: left, top: top, width: width, height: height, stride: image.width, with: fill, watch)
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
