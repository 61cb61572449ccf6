package import Images
package import JSON

/// Blackens square cells of the picture, each with the given probability, as PAPO and VPPO mask images: cells of
/// `patch` pixels from the top left, cut off at the edges.
///
/// `mask_seed` determines the black cells: cell i, counted row by row, is black if the i-th number of the seed's stream
/// is below `probability`. The number is word / 2⁶⁴ without the lower 11 bits. In NumPy (see `RandomStream` for `mix`
/// and GOLDEN):
///
///     black = (mix(mix(seed) + GOLDEN * np.arange(1, rows * columns + 1, dtype=np.uint64)) >> 11) * 2.0**-53 < p
package struct PatchBlackening: PerturbationStep, Equatable {
    package static let name = "patch_blackening"
    package static let summary = "Blackens square cells of a grid, each with the given probability."
    package static let parameters = [
        StepParameter("patch", .integer(1...65536), note: ", the cells' side in pixels", standard: 14),
        StepParameter("probability", .number(0...1), standard: 0.6),
        StepParameter("mask_seed", .seed),
    ]
    package static let identity: String? = "probability 0"

    let patch: Int
    let probability: Double
    let maskSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        patch = try reader.integer("patch")
        probability = try reader.number("probability")
        maskSeed = try reader.seed("mask_seed")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "patch": .integer(Int64(patch)), "probability": .number(probability),
            "mask_seed": .integer(maskSeed),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        guard probability > 0 else { return true }
        let grid = PatchGrid(size: size, side: patch)
        let cells = grid.rows * grid.columns
        // Finding the first black cell takes 1 / probability words. Below one in a million the search ends after four
        // million cells, and a larger grid counts as having a black cell.
        guard probability >= 1e-6 || cells <= 1 << 22 else { return false }
        var stream = RandomStream(seed: UInt64(maskSeed))
        return !(0..<cells).contains { _ in stream.unitInterval() < probability }
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        let grid = PatchGrid(size: size, side: patch)
        let cells = grid.rows.timesSaturating(grid.columns)
        let copied = WorkDemand.picture(size, operations: 10)
        return copied.costing(copied.operations.plusSaturating(cells.timesSaturating(74)))
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let grid = PatchGrid(size: image.size, side: patch)
        var stream = RandomStream(seed: UInt64(maskSeed))
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        for row in 0..<grid.rows {
            for column in 0..<grid.columns {
                try watch.goOn(16)
                guard stream.unitInterval() < probability else { continue }
                let (left, top) = (column * patch, row * patch)
                try pixels.fill(
                    left: left, top: top, width: min(patch, image.width - left),
                    height: min(patch, image.height - top), stride: image.width, with: .black,
                    watch)
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
