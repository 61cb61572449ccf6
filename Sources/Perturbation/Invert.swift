package import Images

/// Turns every sample v into 255 − v, as Pillow's `ImageOps.invert`. Equal to Pillow in every sample.
package struct Invert: ParameterlessStep {
    package static let name = "invert"
    package static let summary = "Turns every sample v into 255 − v."

    package init() {}

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        image.mapped { ~$0 }
    }
}
