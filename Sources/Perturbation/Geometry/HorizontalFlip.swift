package import Images

/// Mirrors left and right, as Pillow's `FLIP_LEFT_RIGHT`. Equal to Pillow in every sample.
package struct HorizontalFlip: ParameterlessStep {
    package static let name = "horizontal_flip"
    package static let summary = "Mirrors left and right."

    package init() {}

    package func leavesUnchanged(_ size: PixelSize) -> Bool { size.width == 1 }

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 6, perRow: 22) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try image.turned(to: image.size, watch) { (image.width - 1 - $0, $1) }
    }
}
