package import Images
package import JSON

/// Inverts every sample from the threshold on, as Pillow's `ImageOps.solarize`. Equal to Pillow in every sample.
package struct Solarize: PerturbationStep, Equatable {
    package static let name = "solarize"
    package static let summary = "Inverts every sample that is at least the threshold."
    package static let parameters = [StepParameter("threshold", .integer(0...256), standard: 128)]
    package static let identity: String? = "threshold 256"

    let threshold: Int

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        threshold = try reader.integer("threshold")
    }

    package var json: JSONValue { ["step": .string(Self.name), "threshold": .integer(Int64(threshold))] }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { threshold == 256 }

    package func demand(for size: PixelSize) -> WorkDemand {
        threshold == 256 ? .nothing : .picture(size, operations: 6)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        guard let threshold = UInt8(exactly: threshold) else { return image }
        return try image.mapped(watch) { $0 < threshold ? $0 : ~$0 }
    }
}
