import AllocationCount
import ForeignPictures
import Images
import Testing

@Suite("Codecs take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct CodecClaimTests {
    static let encodings: [ImageEncoding] =
        (0...9).map { .png(level: $0) }
        + [100, 95, 75].flatMap { quality in
            ImageEncoding.ChromaSubsampling.allCases.map { .jpeg(quality: quality, subsampling: $0) }
        } + [.raw]

    @Test("Encoding", arguments: encodings, shapes)
    func encoding(_ encoding: ImageEncoding, _ size: PixelSize) throws {
        guard encoding.flaw(for: size) == nil else { return }
        let claim = encoding.demand(for: size)
        // What makes the largest files: zlib takes long for few levels.
        let noisiest: [UInt8] = if case .jpeg = encoding { [0, 255] } else { Array(0...255) }
        for levels in [noisiest, [7]] {
            let image = noise(size.width, size.height, levels: levels)
            let (taken, file) = try Allocations.counting { try image.encoded(as: encoding) }
            taken.expect(within: claim.peakBytes, "\(encoding) of \(size)")
            #expect(taken.kept <= claim.keptBytes + Allocations.smallObjects && !file.isEmpty)
        }
    }

    @Test("Decoding", arguments: encodings, shapes)
    func decoding(_ encoding: ImageEncoding, _ size: PixelSize) throws {
        guard encoding.flaw(for: size) == nil, encoding != .raw else { return }
        try expectClaims(try noise(size.width, size.height).encoded(as: encoding))
    }

    @Test("Decoding progressive files", arguments: [1, 2, 10, 99], shapes)
    func progressive(_ scans: Int, _ size: PixelSize) throws {
        guard ImageEncoding.jpeg().flaw(for: size) == nil else { return }
        try expectClaims(ForeignPicture.progressive(noise(size.width, size.height), scans: scans))
    }

    @Test("Decoding PNG of other kinds", arguments: [(false, 16), (true, 8), (true, 16)], shapes)
    func kinds(_ kind: (hasAlpha: Bool, depth: Int), _ size: PixelSize) throws {
        for isInterlaced in [false, true] {
            try expectClaims(
                ForeignPicture.png(
                    noise(size.width, size.height), hasAlpha: kind.hasAlpha, depth: kind.depth,
                    isInterlaced: isInterlaced))
        }
    }

    /// Rows that libpng doesn't read; see png_decode.c.
    @Test("Decoding wide rows", arguments: [false, true])
    func wide(_ isInterlaced: Bool) throws {
        let image = PixelImage(
            width: 1_500_000, height: 2, samples: [UInt8](repeating: 9, count: 9_000_000))
        let file = ForeignPicture.png(image, hasAlpha: false, depth: 8, isInterlaced: isInterlaced)
        try expectClaim(file, DecodingOptions())
        #expect(try PixelImage(decoding: file.span) == image)
    }

    private func expectClaims(_ file: [UInt8]) throws {
        #expect(!file.isEmpty)
        try expectClaim(file, DecodingOptions())
        try expectClaim(file, DecodingOptions(orientation: .apply))
        // Cut, what there is of it is decoded by other means.
        try expectClaim(Array(file.dropLast(file.count / 3)), DecodingOptions(allowTruncated: true))
    }

    private func expectClaim(_ file: [UInt8], _ options: DecodingOptions) throws {
        guard let header = try? ImageHeader(probing: file.span) else { return }
        let (claim, size) = header.demand(of: file.span, options)
        let decoded = try? Allocations.counting { try PixelImage(decoding: file.span, options: options) }
        guard let (taken, image) = decoded else { return }
        // Metadata that might have been copied are claimed where there are none.
        let metadata = options.orientation == .apply ? ImageHeader.metadataBytes(of: file.count) : 0
        taken.expect(
            within: claim.peakBytes, floor: (160 << 10) + metadata, isTight: metadata == 0,
            "\(header.format) of \(size)")
        #expect(image.size == size && taken.kept <= claim.keptBytes + Allocations.smallObjects)
    }
}
