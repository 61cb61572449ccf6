package import Images
package import JSON

/// Mirrors left and right, as Pillow's `FLIP_LEFT_RIGHT`. Equal to Pillow in every sample.
package struct HorizontalFlip: PerturbationStep, Equatable {
    package static let name = "horizontal_flip"
    package static let summary = "Mirrors left and right."
    package static let parameters: [StepParameter] = []
    package static let identity: String? = nil

    init() {}

    package init(parameters: JSONValue) throws(StepError) {
        _ = try ParameterReader(parameters, for: Self.self)
    }

    package var json: JSONValue { ["step": .string(Self.name)] }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { size.width == 1 }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        image.rearranged(to: image.size) { (image.width - 1 - $0, $1) }
    }
}
