package import Images
package import JSON

/// Covers the picture with black squares that may overlap, one after the other, until the given share of its pixels is
/// black.
///
/// The squares are w = min(patch, width) wide and h = min(patch, height) high. Each takes two words of `cover_seed`'s
/// stream: x uniform in 0 … width − w, then y uniform in 0 … height − h. It ends with the square that brings the
/// covered pixels to at least `coverage` · width · height.
///
/// Expected cost: O(pixels · ln(1 / (1 − coverage))), which the largest coverage bounds.
package struct BlackSquareCover: PerturbationStep, Equatable {
    package static let name = "black_square_cover"
    package static let summary =
        "Covers the picture with overlapping black squares until the given share of its pixels is black."
    package static let parameters = [
        StepParameter(
            "patch", type: "integer", range: "1 … 65536, the squares' side in pixels", standard: 14),
        StepParameter("coverage", type: "number", range: "0 … 0.99", standard: 0.8),
        StepParameter("cover_seed", type: "integer", range: "0 … 9223372036854775807"),
    ]
    package static let identity: String? = "coverage 0"

    let patch: Int
    let coverage: Double
    let coverSeed: Int64

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        patch = Int(try reader.integer("patch", in: 1...65536, standard: 14))
        coverage = try reader.number("coverage", in: 0...0.99, standard: 0.8)
        coverSeed = try reader.integer("cover_seed", in: 0...Int64.max)
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "patch": .integer(Int64(patch)), "coverage": .number(coverage),
            "cover_seed": .integer(coverSeed),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { coverage == 0 }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        let (width, height) = (min(patch, image.width), min(patch, image.height))
        let wanted = coverage * Double(image.size.pixelCount)
        var stream = RandomStream(seed: UInt64(coverSeed))
        // A picture may be black already, so that what is covered is kept apart.
        var covered = [Bool](repeating: false, count: image.size.pixelCount)
        var isCovered = covered.mutableSpan
        var count = 0
        while Double(count) < wanted {
            let x = stream.integer(in: 0...(image.width - width))
            let y = stream.integer(in: 0...(image.height - height))
            for row in y..<(y + height) {
                let start = row * image.width + x
                for pixel in start..<(start + width) where !isCovered[pixel] {
                    isCovered[pixel] = true
                    count += 1
                }
            }
        }
        var samples = image.samples
        var pixels = samples.mutableSpan
        for pixel in isCovered.indices where isCovered[pixel] {
            pixels[pixel * 3] = 0
            pixels[pixel * 3 + 1] = 0
            pixels[pixel * 3 + 2] = 0
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
