import AllocationCount
import Images
import Testing

@Suite("Codecs take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct CodecClaimTests {
    static let encodings: [ImageEncoding] =
        [0, 1, 2, 6, 9].map { .png(level: $0) }
        + [100, 95, 75].flatMap { quality in
            ImageEncoding.ChromaSubsampling.allCases.map { .jpeg(quality: quality, subsampling: $0) }
        } + [.raw]

    @Test("Encoding", arguments: encodings, shapes)
    func encoding(_ encoding: ImageEncoding, _ size: PixelSize) throws {
        guard encoding.flaw(for: size) == nil else { return }
        let claim = encoding.demand(for: size)
        for levels in [[0, 255], [7]] as [[UInt8]] {
            let image = noise(size.width, size.height, levels: levels)
            let (taken, file) = try Allocations.counting { try image.encoded(as: encoding) }
            taken.expect(within: claim.peakBytes, floor: 96 << 10, "\(encoding) of \(size)")
            #expect(taken.kept <= claim.keptBytes + Allocations.smallObjects && !file.isEmpty)
        }
    }

    @Test("Decoding", arguments: encodings, shapes)
    func decoding(_ encoding: ImageEncoding, _ size: PixelSize) throws {
        guard encoding.flaw(for: size) == nil, encoding != .raw else { return }
        let file = try noise(size.width, size.height).encoded(as: encoding)
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
        let floor =
            (160 << 10) + (options.orientation == .apply ? ImageHeader.metadataBytes(of: file.count) : 0)
        taken.expect(within: claim.peakBytes, floor: floor, "\(header.format) of \(size)")
        #expect(image.size == size && taken.kept <= claim.keptBytes + Allocations.smallObjects)
    }
}
