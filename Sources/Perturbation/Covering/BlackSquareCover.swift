internal import Glibc
package import Images
package import JSON

/// Covers the picture with black squares, which may overlap, until the given fraction of its pixels is black.
///
/// The squares are w = min(patch, width) wide and h = min(patch, height) high. Each takes two words of `cover_seed`'s
/// stream: x uniform in 0 … width − w, then y uniform in 0 … height − h. The last square is the one with which the
/// covered pixels reach `coverage` · width · height.
///
/// Expected cost: O(pixels · ln(1 / (1 − coverage))), bounded by the largest coverage.
package struct BlackSquareCover: PerturbationStep, Equatable {
    package static let name = "black_square_cover"
    package static let summary =
        "Covers the picture with overlapping black squares until the given share of its pixels is black."
    package static let parameters = [
        StepParameter("patch", .integer(1...65536), note: ", the squares' side in pixels", standard: 14),
        StepParameter("coverage", .number(0...0.99), standard: 0.8),
        StepParameter("cover_seed", .seed),
    ]
    package static let identity: String? = "coverage 0"

    let patch: Int
    let coverage: Double
    let coverSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        patch = try reader.integer("patch")
        coverage = try reader.number("coverage")
        coverSeed = try reader.seed("cover_seed")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "patch": .integer(Int64(patch)), "coverage": .number(coverage),
            "cover_seed": .integer(coverSeed),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { coverage == 0 }

    /// In addition to the result, it needs a byte for each pixel that records whether it is covered. About ln(1 − c) /
    /// ln(1 − a) squares that each cover a fraction a of the picture cover c of it. Each accesses memory at a random
    /// place for each row.
    package func demand(for size: PixelSize) -> WorkDemand {
        let pixels = size.pixelCount
        let (width, height) = (min(patch, size.width), min(patch, size.height))
        let area = Double(width) * Double(height)
        let share = area / Double(max(1, pixels))
        let squares = share < 1 ? (log1p(-coverage) / log1p(-share)).rounded(.up) : 1
        let looked = squares * area
        let made = WorkDemand.picture(size, extra: WorkDemand.arrayBytes(pixels), operations: 10)
        return made.costing(
            made.operations.plusSaturating(
                Int(min(6 * looked + squares * Double(125 + 25 * height), 0x1p60))))
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        let (width, height) = (min(patch, image.width), min(patch, image.height))
        let wanted = coverage * Double(image.size.pixelCount)
        var stream = RandomStream(seed: UInt64(coverSeed))
        // A picture may already be black, so covered pixels are recorded separately.
        guard var covered = Samples.repeating(0, count: image.size.pixelCount, watch) else { throw .unwanted }
        var isCovered = covered.mutableSpan
        var count = 0
        while Double(count) < wanted {
            let x = stream.integer(in: 0...(image.width - width))
            let y = stream.integer(in: 0...(image.height - height))
            for row in y..<(y + height) {
                let start = row * image.width + x
                try watch.goOn(32 + width)
                for pixel in start..<(start + width) where isCovered[pixel] == 0 {
                    isCovered[pixel] = 1
                    count += 1
                }
            }
        }
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        for pixel in isCovered.indices {
            try watch.goOn(4)
            guard isCovered[pixel] != 0 else { continue }
            pixels[pixel * 3] = 0
            pixels[pixel * 3 + 1] = 0
            pixels[pixel * 3 + 2] = 0
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
