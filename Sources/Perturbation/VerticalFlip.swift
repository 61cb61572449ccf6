package import Images
package import JSON

/// Mirrors top and bottom, as Pillow's `FLIP_TOP_BOTTOM`. Equal to Pillow in every sample.
package struct VerticalFlip: PerturbationStep, Equatable {
    package static let name = "vertical_flip"
    package static let summary = "Mirrors top and bottom."
    package static let parameters: [StepParameter] = []
    package static let identity: String? = nil

    init() {}

    package init(parameters: JSONValue) throws(StepError) {
        _ = try ParameterReader(parameters, for: Self.self)
    }

    package var json: JSONValue { ["step": .string(Self.name)] }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { size.height == 1 }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        image.rearranged(to: image.size) { ($0, image.height - 1 - $1) }
    }
}
