package import Images
package import JSON

/// Keeps the highest bits of every sample and clears the others, as Pillow's `ImageOps.posterize`. Equal to Pillow in
/// every sample.
package struct Posterize: PerturbationStep, Equatable {
    package static let name = "posterize"
    package static let summary = "Keeps the highest bits of every sample and clears the others."
    package static let parameters = [StepParameter("bits", .integer(1...8), standard: 2)]
    package static let identity: String? = "bits 8"

    let bits: Int

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        bits = try reader.integer("bits")
    }

    package var json: JSONValue { ["step": .string(Self.name), "bits": .integer(Int64(bits))] }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { bits == 8 }

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 6) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let mask = UInt8.max << UInt8(8 - bits)
        return try image.mapped(watch) { $0 & mask }
    }
}
