import Images
import Testing

@Suite("Flips and turns")
struct RearrangingTests {
    /// Every pixel tells its place.
    private func picture(_ width: Int, _ height: Int) -> PixelImage {
        let samples = (0..<(width * height)).flatMap {
            [
                UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8),
                UInt8(truncatingIfNeeded: $0 * 7),
            ]
        }
        return PixelImage(width: width, height: height, samples: samples)
    }

    @Test("Every pixel comes from where the map says", arguments: [1, 2, 5, 6, 11, 33, 70], [1, 3, 32, 65])
    func places(_ width: Int, _ height: Int) throws {
        let image = picture(width, height)
        let turned = PixelSize(width: height, height: width)
        let (w, h) = (width, height)
        let maps: [(PixelSize, (Int, Int) -> (x: Int, y: Int))] = [
            (image.size, { ($0, $1) }), (image.size, { (w - 1 - $0, $1) }),
            (image.size, { ($0, h - 1 - $1) }),
            (image.size, { (w - 1 - $0, h - 1 - $1) }), (turned, { ($1, $0) }),
            (turned, { ($1, h - 1 - $0) }),
            (turned, { (w - 1 - $1, $0) }), (turned, { (w - 1 - $1, h - 1 - $0) }),
        ]
        for (size, map) in maps {
            let result = try image.rearranged(to: size, source: map)
            #expect(result.size == size)
            for y in 0..<size.height {
                for x in 0..<size.width {
                    let from = map(x, y)
                    let (there, here) = ((from.y * w + from.x) * 3, (y * size.width + x) * 3)
                    if result.samples[here..<(here + 3)] != image.samples[there..<(there + 3)] {
                        Issue.record("(\(x), \(y)) is not (\(from.x), \(from.y))")
                        return
                    }
                }
            }
        }
    }
}
