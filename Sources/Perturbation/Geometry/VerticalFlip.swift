package import Images

/// Mirrors top and bottom, as Pillow's `FLIP_TOP_BOTTOM`. Equal to Pillow in every sample.
package struct VerticalFlip: ParameterlessStep {
    package static let name = "vertical_flip"
    package static let summary = "Mirrors top and bottom."

    package init() {}

    package func leavesUnchanged(_ size: PixelSize) -> Bool { size.height == 1 }

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 5, perRow: 14) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try image.turned(to: image.size, watch) { ($0, image.height - 1 - $1) }
    }
}
