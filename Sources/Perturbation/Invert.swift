package import Images
package import JSON

/// Turns every sample v into 255 − v, as Pillow's `ImageOps.invert`. Equal to Pillow in every sample.
package struct Invert: PerturbationStep, Equatable {
    package static let name = "invert"
    package static let summary = "Turns every sample v into 255 − v."
    package static let parameters: [StepParameter] = []
    package static let identity: String? = nil

    init() {}

    package init(parameters: JSONValue) throws(StepError) {
        _ = try ParameterReader(parameters, for: Self.self)
    }

    package var json: JSONValue { ["step": .string(Self.name)] }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        image.mapped(through: (0...255).map { 255 - $0 })
    }
}
