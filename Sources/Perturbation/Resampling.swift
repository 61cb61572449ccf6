internal import Images

/// Pillow's `resize` with the bilinear filter (libImaging/Resample.c): a horizontal, then a vertical pass, each a sum of
/// weights in 22-bit fixed point, rounded to a level in between.
enum Resampling {
    struct Crop: Equatable {
        let left, top, width, height: Int
    }

    /// The crop at the given size. Linear in the pixels read and written, times the filter's width (three weights
    /// when the crop is enlarged).
    static func bilinear(_ image: PixelImage, crop: Crop, to size: PixelSize) -> PixelImage {
        var samples = rows(of: image, crop)
        if crop.width != size.width {
            let weights = Weights(from: crop.width, to: size.width)
            samples = horizontal(samples, width: crop.width, rows: crop.height, weights)
        }
        if crop.height != size.height {
            let weights = Weights(from: crop.height, to: size.height)
            samples = vertical(samples, stride: size.width * 3, weights)
        }
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }

    private static func rows(of image: PixelImage, _ crop: Crop) -> [UInt8] {
        var samples: [UInt8] = []
        samples.reserveCapacity(crop.width * crop.height * 3)
        for row in crop.top..<(crop.top + crop.height) {
            let start = (row * image.width + crop.left) * 3
            samples.append(contentsOf: image.samples[start..<(start + crop.width * 3)])
        }
        return samples
    }

    /// What each place of one output axis takes from the input axis.
    struct Weights {
        static let bits: Int32 = 32 - 8 - 2

        /// First input place per output place, and how many from there.
        let starts: [Int]
        let counts: [Int]
        /// `most` per output place, in fixed point.
        let values: [Int32]
        let most: Int

        /// Triangles of half width max(1, scale) about (i + ½) · scale, cut at the ends and normalised in Double.
        init(from input: Int, to output: Int) {
            let scale = Double(Float(input)) / Double(output)
            let support = max(scale, 1)
            let most = Int(support.rounded(.up)) * 2 + 1
            var (starts, counts) = ([Int](), [Int]())
            var values = [Int32](repeating: 0, count: output * most)
            for place in 0..<output {
                let centre = (Double(place) + 0.5) * scale
                let start = max(Int(centre - support + 0.5), 0)
                let count = min(Int(centre + support + 0.5), input) - start
                let triangle = (0..<count).map { index in
                    let distance = ((Double(index + start) - centre + 0.5) * (1 / support)).magnitude
                    return distance < 1 ? 1 - distance : 0
                }
                let sum = triangle.reduce(0, +)
                for (index, weight) in triangle.enumerated() {
                    let share = sum == 0 ? weight : weight / sum
                    values[place * most + index] = Int32(0.5 + share * Double(1 << Self.bits))
                }
                starts.append(start)
                counts.append(count)
            }
            (self.starts, self.counts, self.values, self.most) = (starts, counts, values, most)
        }
    }

    private static func horizontal(_ samples: [UInt8], width: Int, rows: Int, _ weights: Weights) -> [UInt8] {
        let output = weights.starts.count
        var result = [UInt8](repeating: 0, count: output * rows * 3)
        let source = samples.span
        let (values, starts, counts) = (weights.values.span, weights.starts.span, weights.counts.span)
        var target = result.mutableSpan
        var offset = 0
        for row in 0..<rows {
            for place in 0..<output {
                var from = (row * width + starts[place]) * 3
                var (red, green, blue) = (Self.half, Self.half, Self.half)
                for index in (place * weights.most)..<(place * weights.most + counts[place]) {
                    let weight = values[index]
                    red &+= Int32(source[from]) &* weight
                    green &+= Int32(source[from + 1]) &* weight
                    blue &+= Int32(source[from + 2]) &* weight
                    from += 3
                }
                target[offset] = level(red)
                target[offset + 1] = level(green)
                target[offset + 2] = level(blue)
                offset += 3
            }
        }
        return result
    }

    private static func vertical(_ samples: [UInt8], stride: Int, _ weights: Weights) -> [UInt8] {
        let output = weights.starts.count
        var result = [UInt8](repeating: 0, count: output * stride)
        let source = samples.span
        let values = weights.values.span
        var target = result.mutableSpan
        var sums = [Int32](repeating: 0, count: stride)
        for place in 0..<output {
            var sum = sums.mutableSpan
            for column in 0..<stride { sum[column] = Self.half }
            for index in 0..<weights.counts[place] {
                let weight = values[place * weights.most + index]
                let from = (weights.starts[place] + index) * stride
                for column in 0..<stride { sum[column] &+= Int32(source[from + column]) &* weight }
            }
            for column in 0..<stride { target[place * stride + column] = level(sum[column]) }
        }
        return result
    }

    private static let half: Int32 = 1 << (Weights.bits - 1)

    private static func level(_ sum: Int32) -> UInt8 { UInt8(min(max(sum >> Weights.bits, 0), 255)) }
}
