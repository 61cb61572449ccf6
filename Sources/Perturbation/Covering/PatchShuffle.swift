package import Images
package import JSON

/// Permutes the whole cells of a grid of `patch` pixels; the rest at the right and bottom stays in place, as in
/// NoisyRollout's patch shuffle.
///
/// The permutation follows from `shuffle_seed` (Fisher and Yates): with the n cells counted row by row and p = [0, 1, …
/// n − 1], for i = n − 1 down to 1 exchange p[i] and p[j], j uniform in 0 … i by one word of the seed's stream. Cell i
/// of the result is cell p[i] of the picture.
package struct PatchShuffle: PerturbationStep, Equatable {
    package static let name = "patch_shuffle"
    package static let summary = "Permutes the whole cells of a grid."
    package static let parameters = [
        StepParameter("patch", .integer(1...65536), note: ", the cells' side in pixels", standard: 14),
        StepParameter("shuffle_seed", .seed),
    ]
    package static let identity: String? = "a patch over half of both of the picture's sides"

    let patch: Int
    let shuffleSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        patch = try reader.integer("patch")
        shuffleSeed = try reader.seed("shuffle_seed")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "patch": .integer(Int64(patch)),
            "shuffle_seed": .integer(shuffleSeed),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        let grid = PatchGrid(size: size, side: patch)
        var stream = RandomStream(seed: UInt64(shuffleSeed))
        // The first exchange of two different cells leaves one of them out of place permanently.
        return (0..<(grid.wholeRows * grid.wholeColumns)).dropFirst().reversed().allSatisfy {
            stream.integer(in: 0...$0) == $0
        }
    }

    private func permutation(_ grid: PatchGrid, _ watch: WorkWatch) throws(StepError) -> [UInt32] {
        let count = grid.wholeRows * grid.wholeColumns
        var order: [UInt32] = []
        order.reserveCapacity(count)
        for cell in 0..<count {
            try watch.goOn(4)
            order.append(UInt32(cell))
        }
        var stream = RandomStream(seed: UInt64(shuffleSeed))
        for index in order.indices.dropFirst().reversed() {
            try watch.goOn(64)
            order.swapAt(index, stream.integer(in: 0...index))
        }
        return order
    }

    /// In addition to the result, four bytes for each cell.
    package func demand(for size: PixelSize) -> WorkDemand {
        let grid = PatchGrid(size: size, side: patch)
        let cells = grid.wholeRows.timesSaturating(grid.wholeColumns)
        let made = WorkDemand.picture(size, extra: WorkDemand.arrayBytes(4 * cells), operations: 12)
        return made.costing(made.operations.plusSaturating(cells.timesSaturating(460)))
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let grid = PatchGrid(size: image.size, side: patch)
        return try PixelKernels.shuffle(image, side: patch, order: try permutation(grid, watch), watch)
    }
}
