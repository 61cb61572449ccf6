import Images
import TestMaterial
import Testing

/// The encoder behind level 1, read back by libpng.
@Suite("Fast PNG files")
struct FastPNGTests {
    enum Content: CaseIterable {
        case noise, flat, gradient, dots, runs, rare

        func sample(_ index: Int, _ width: Int, _ generator: inout SeededGenerator) -> UInt8 {
            switch self {
            case .noise: UInt8.random(in: 0...255, using: &generator)
            case .flat: 200
            case .gradient: UInt8(truncatingIfNeeded: index / 3 % width + index / 3 / width * 2)
            case .dots: Int.random(in: 0..<400, using: &generator) == 0 ? 0 : 255
            // Lengths around what one match holds.
            case .runs: UInt8(truncatingIfNeeded: index / (250 + index / 4096 % 20))
            // Frequencies like Fibonacci numbers make the longest codes.
            case .rare:
                UInt8(
                    truncatingIfNeeded: UInt64.random(in: 0...UInt64.max, using: &generator)
                        .leadingZeroBitCount * 11)
            }
        }
    }

    private func picture(_ width: Int, _ height: Int, _ content: Content) -> PixelImage {
        var generator = SeededGenerator(seed: UInt64(width * 7919 + height))
        let samples = (0..<(width * height * 3)).map { content.sample($0, width, &generator) }
        return PixelImage(width: width, height: height, samples: samples)
    }

    @Test(
        "Every content comes back at every size", arguments: Content.allCases,
        [(1, 1), (2, 1), (1, 300), (3, 5), (31, 33), (300, 170), (45_000, 2)])
    func roundTrip(_ content: Content, _ size: (Int, Int)) throws {
        let image = picture(size.0, size.1, content)
        let file = try image.encoded(as: .png(level: 1))
        #expect(try PixelImage(decoding: file.span) == image)
        // Noise doesn't grow by more than the file's own structure.
        #expect(file.count < image.samples.count + image.samples.count / 500 + size.1 + 200)
    }

    @Test("Flat pictures shrink a hundredfold") func flat() throws {
        let image = picture(400, 400, .flat)
        #expect(try image.encoded(as: .png(level: 1)).count * 100 < image.samples.count)
    }

    @Test(
        "A JPEG side over 65,500 pixels is refused before it is written",
        arguments: [(65_501, 1), (1, 65_501)])
    func tooLong(_ size: (Int, Int)) throws {
        let image = picture(size.0, size.1, .flat)
        let flaw = try #require(ImageEncoding.jpeg().flaw(for: image.size))
        #expect(throws: ImageError.self) { try image.encoded(as: .jpeg()) }
        #expect(flaw.message.contains("65500"))
        #expect(ImageEncoding.png().flaw(for: image.size) == nil)
        #expect(ImageEncoding.jpeg().flaw(for: PixelSize(width: 65_500, height: 1)) == nil)
    }
}
