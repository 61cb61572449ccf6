package import Images
package import JSON

/// Replaces the whole picture with one color: a blank picture of the same size.
package struct Fill: PerturbationStep, Equatable {
    package static let name = "fill"
    package static let summary = "One color in place of the whole picture, at its size."
    package static let parameters = [StepParameter.fill("color", standard: .gray)]
    package static let identity: String? = nil

    let color: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        color = try reader.color("color")
    }

    package var json: JSONValue { ["step": .string(Self.name), "color": color.json] }

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 8, perRow: 34) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try PixelImage.blank(image.size, color, watch)
    }
}
