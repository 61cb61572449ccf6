import ForeignPictures
import Images
import Testing

/// Rows of more than four megabytes, which are decoded without libpng.
@Suite("PNG of wide rows")
struct WideRowTests {
    /// Not the same from pixel to pixel, nor in both rows.
    private static let image: PixelImage = {
        let (width, height) = (1_500_000, 2)
        let samples = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) { samples, count in
            count = width * height * 3
            for index in 0..<count {
                unsafe samples[index] = UInt8(truncatingIfNeeded: index / 7 ^ index / 4096)
            }
        }
        return PixelImage(width: width, height: height, samples: samples)
    }()

    @Test("Every kind is read as it is", arguments: [(false, 8), (true, 8), (true, 16)], [false, true])
    func whole(_ kind: (hasAlpha: Bool, depth: Int), _ isInterlaced: Bool) throws {
        let file = ForeignPicture.png(
            Self.image, hasAlpha: kind.hasAlpha, depth: kind.depth, isInterlaced: isInterlaced)
        #expect(try PixelImage(decoding: file.span) == Self.image)
    }

    @Test("Every filter and level is read back", arguments: [0, 1, 2, 6])
    func levels(_ level: Int) throws {
        let file = try Self.image.encoded(as: .png(level: level))
        #expect(try PixelImage(decoding: file.span) == Self.image)
    }

    @Test("One that ends early is an error, and its whole rows are had where that is allowed")
    func truncated() throws {
        let file = try Self.image.encoded(as: .png(level: 0)).dropLast(4_000_000)
        let error = #expect(throws: ImageError.self) { try PixelImage(decoding: Array(file).span) }
        guard case .truncated(.png, byte: file.count, _) = error else {
            Issue.record("\(error?.message ?? "none")")
            return
        }
        let options = DecodingOptions(allowTruncated: true)
        let rest = try PixelImage(decoding: Array(file).span, options: options)
        let row = Self.image.width * 3
        #expect(rest.samples[..<row] == Self.image.samples[..<row])
        #expect(rest.samples[row...].allSatisfy { $0 == 0 })
    }

    @Test("A wrong byte is an error", arguments: [100, 5_000_000, 8_000_000])
    func damaged(_ place: Int) throws {
        var file = try Self.image.encoded(as: .png(level: 0))
        file[place] ^= 0x10
        let error = #expect(throws: ImageError.self) { try PixelImage(decoding: file.span) }
        guard case .damaged(.png, _, _) = error else {
            Issue.record("\(error?.message ?? "none")")
            return
        }
    }
}
