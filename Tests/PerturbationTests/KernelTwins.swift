import Images

@testable import Perturbation

/// Each kernel once more, slowly: pixel by pixel, in the words of Pillow's C.
enum KernelTwins {
    static func luma(_ pixel: ArraySlice<UInt8>) -> Int {
        let p = pixel.map(Int.init)
        return (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16
    }

    static func blend(_ level: Int, _ value: UInt8, _ factor: Float) -> UInt8 {
        UInt8(min(max(Float(level) + factor * Float(Int(value) - level), 0), 255))
    }

    static func blended(_ samples: [UInt8], factor: Float, level: (Int) -> Int) -> [UInt8] {
        samples.indices.map { blend(level($0 / 3), samples[$0], factor) }
    }

    /// Sums in Float32 as documented; the order is part of the definition.
    static func convolved(_ image: PixelImage, _ weights: [Float], inUnits: Bool) -> [UInt8] {
        let radius = weights.count / 2
        func mirrored(_ place: Int, _ count: Int) -> Int? {
            if (0..<count).contains(place) { return place }
            if inUnits { return nil }
            return place < 0 ? -place : 2 * (count - 1) - place
        }
        func down(_ x: Int, _ y: Int, _ c: Int) -> Float {
            weights.indices.reduce(0 as Float) { sum, tap in
                guard let row = mirrored(y + tap - radius, image.height) else { return sum }
                let level = Float(image.samples[(row * image.width + x) * 3 + c])
                return sum + (inUnits ? level / 255 : level) * weights[tap]
            }
        }
        return (0..<image.samples.count).map { index in
            let (x, y, c) = (index / 3 % image.width, index / 3 / image.width, index % 3)
            let sum = weights.indices.reduce(0 as Float) { sum, tap in
                guard let column = mirrored(x + tap - radius, image.width) else {
                    return sum + 0 * weights[tap]
                }
                return sum + down(column, y, c) * weights[tap]
            }
            return inUnits
                ? UInt8(min(max(sum, 0), 1) * 255) : UInt8(min(max(sum.rounded(.toNearestOrEven), 0), 255))
        }
    }

    /// One axis of Pillow's resize.
    private static func resampled(_ line: [UInt8], to count: Int) -> [UInt8] {
        guard line.count != count else { return line }
        let scale = Double(line.count) / Double(count)
        let support = max(scale, 1)
        return (0..<count).map { place in
            let centre = (Double(place) + 0.5) * scale
            let range = max(Int(centre - support + 0.5), 0)..<min(Int(centre + support + 0.5), line.count)
            let triangle = range.map { max(0, 1 - abs((Double($0) - centre + 0.5) / support)) }
            let whole = triangle.reduce(0, +)
            let fixed = triangle.map { Int(0.5 + $0 / whole * 4_194_304) }
            let sum = zip(range, fixed).reduce(2_097_152) { $0 + Int(line[$1.0]) * $1.1 }
            return UInt8(min(max(sum >> 22, 0), 255))
        }
    }

    static func zoomed(_ image: PixelImage, _ crop: PixelRectangle, to size: PixelSize) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: size.pixelCount * 3)
        for c in 0..<3 {
            let rows = (0..<crop.height).map { y in
                let line = (0..<crop.width).map {
                    image.samples[((crop.top + y) * image.width + crop.left + $0) * 3 + c]
                }
                return resampled(line, to: size.width)
            }
            for x in 0..<size.width {
                for (y, level) in resampled(rows.map { $0[x] }, to: size.height).enumerated() {
                    result[(y * size.width + x) * 3 + c] = level
                }
            }
        }
        return result
    }

    static func sampled(
        _ image: PixelImage, to size: PixelSize, fill: FillColor, bilinear: Bool,
        _ source: (Double, Double) -> (x: Double, y: Double)
    ) -> [UInt8] {
        func level(_ x: Int, _ y: Int, _ c: Int) -> Double {
            let column = min(max(x, 0), image.width - 1)
            let row = min(max(y, 0), image.height - 1)
            return Double(image.samples[(row * image.width + column) * 3 + c])
        }
        let colors = [fill.red, fill.green, fill.blue]
        return (0..<(size.pixelCount * 3)).map { index in
            let (column, row, c) = (index / 3 % size.width, index / 3 / size.width, index % 3)
            let (x, y) = source(Double(column) + 0.5, Double(row) + 0.5)
            guard x >= 0, x < Double(image.width), y >= 0, y < Double(image.height) else { return colors[c] }
            guard bilinear else { return UInt8(level(Int(x), Int(y), c)) }
            let (left, top) = ((x - 0.5).rounded(.down), (y - 0.5).rounded(.down))
            let (across, down) = (x - 0.5 - left, y - 0.5 - top)
            let upper =
                level(Int(left), Int(top), c)
                + (level(Int(left) + 1, Int(top), c) - level(Int(left), Int(top), c)) * across
            let lower =
                level(Int(left), Int(top) + 1, c)
                + (level(Int(left) + 1, Int(top) + 1, c) - level(Int(left), Int(top) + 1, c)) * across
            return UInt8(upper + (lower - upper) * down)
        }
    }
}
