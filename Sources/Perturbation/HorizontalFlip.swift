package import Images

/// Mirrors left and right, as Pillow's `FLIP_LEFT_RIGHT`. Equal to Pillow in every sample.
package struct HorizontalFlip: ParameterlessStep {
    package static let name = "horizontal_flip"
    package static let summary = "Mirrors left and right."

    package init() {}

    package func leavesUnchanged(_ size: PixelSize) -> Bool { size.width == 1 }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        image.rearranged(to: image.size) { (image.width - 1 - $0, $1) }
    }
}
