/// Reads a picture at fractional positions as Pillow's `bilinear_filter32RGB` does (libImaging/Geometry.c): positions
/// count from the picture's corner, arithmetic is in Double, levels are truncated, pixels beyond the edge repeat it.
struct PixelSampler {
    let width: Int
    let height: Int

    /// Writes the pixel of `samples` at (x, y) to `target[offset...]`, or leaves that untouched when (x, y) lies
    /// outside the picture.
    @inline(__always)
    func write(
        x: Double, y: Double, from samples: Span<UInt8>, to target: inout MutableSpan<UInt8>, at offset: Int
    ) {
        // Written so that NaN lies outside too.
        guard x >= 0, x < Double(width), y >= 0, y < Double(height) else { return }
        let (left, across) = Self.split(x - 0.5)
        let (top, down) = Self.split(y - 0.5)
        let firstRow = max(top, 0) * width
        // Below the last row Pillow takes the upper value alone, which is what repeating the row gives.
        let secondRow = min(top + 1, height - 1) * width
        let firstColumn = max(left, 0)
        let secondColumn = min(left + 1, width - 1)
        let corners = (
            (firstRow + firstColumn) * 3, (firstRow + secondColumn) * 3,
            (secondRow + firstColumn) * 3, (secondRow + secondColumn) * 3
        )
        for channel in 0..<3 {
            let upper = Self.between(samples[corners.0 + channel], samples[corners.1 + channel], across)
            let lower = Self.between(samples[corners.2 + channel], samples[corners.3 + channel], across)
            target[offset + channel] = UInt8(upper + (lower - upper) * down)
        }
    }

    /// Positions are at least −0.5 here, so that truncating after a shift by one is the floor.
    @inline(__always)
    private static func split(_ position: Double) -> (whole: Int, fraction: Double) {
        let whole = position < 0 ? -1 : Int(position)
        return (whole, position - Double(whole))
    }

    @inline(__always)
    private static func between(_ first: UInt8, _ second: UInt8, _ fraction: Double) -> Double {
        Double(first) + Double(Int(second) - Int(first)) * fraction
    }
}

extension PixelSampler {
    /// The same with the pixel that (x, y) lies in, as Pillow's `nearest_filter32`.
    @inline(__always)
    func writeNearest(
        x: Double, y: Double, from samples: Span<UInt8>, to target: inout MutableSpan<UInt8>, at offset: Int
    ) {
        guard x >= 0, x < Double(width), y >= 0, y < Double(height) else { return }
        let from = (Int(y) * width + Int(x)) * 3
        target[offset] = samples[from]
        target[offset + 1] = samples[from + 1]
        target[offset + 2] = samples[from + 2]
    }
}
