package import Images

/// Turns every sample v into 255 − v, as Pillow's `ImageOps.invert`. Equal to Pillow in every sample.
package struct Invert: ParameterlessStep {
    package static let name = "invert"
    package static let summary = "Turns every sample v into 255 − v."

    package init() {}

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 6) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try image.mapped(watch) { ~$0 }
    }
}
