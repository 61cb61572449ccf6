import Images

@testable import Perturbation

extension KernelTwins {
    /// Pillow's `affine_fixed`, in numbers that never overflow.
    static func fixed(_ image: PixelImage, to size: PixelSize, _ steps: [Int32], fill: FillColor) -> [UInt8] {
        let steps = steps.map(Int64.init)
        return nearest(image, to: size, fill: fill) { column, row in
            // 32 bits wrap around, as Pillow's do.
            func place(_ value: Int64) -> Int { Int(Int32(truncatingIfNeeded: value) >> 16) }
            return (
                place(steps[4] + Int64(column) * steps[0] + Int64(row) * steps[2]),
                place(steps[5] + Int64(column) * steps[1] + Int64(row) * steps[3])
            )
        }
    }

    /// Pillow's `ImagingTransformAffine` where fixed point does not serve: positions are summed up, rows first.
    static func summed(_ image: PixelImage, to size: PixelSize, _ map: AffineMap, fill: FillColor) -> [UInt8]
    {
        var places: [(Double, Double)] = []
        var (startX, startY) = (map.c + map.b * 0.5 + map.a * 0.5, map.f + map.e * 0.5 + map.d * 0.5)
        for _ in 0..<size.height {
            var (x, y) = (startX, startY)
            for _ in 0..<size.width {
                places.append((x, y))
                x += map.a
                y += map.d
            }
            startX += map.b
            startY += map.e
        }
        return nearest(image, to: size, fill: fill) { column, row in
            let (x, y) = places[row * size.width + column]
            return (x >= 0 ? Int(x) : -1, y >= 0 ? Int(y) : -1)
        }
    }

    private static func nearest(
        _ image: PixelImage, to size: PixelSize, fill: FillColor, _ place: (Int, Int) -> (Int, Int)
    ) -> [UInt8] {
        let samples = image.samples
        return (0..<size.pixelCount).flatMap { index -> [UInt8] in
            let (x, y) = place(index % size.width, index / size.width)
            guard (0..<image.width).contains(x), (0..<image.height).contains(y) else {
                return [fill.red, fill.green, fill.blue]
            }
            return Array(samples[(y * image.width + x) * 3..<(y * image.width + x) * 3 + 3])
        }
    }
}
