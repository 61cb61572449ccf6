import Images
import Testing

@Suite("Files made to exhaust the reader")
struct BombTests {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// A JPEG whose frame header claims other sides.
    static func jpeg(claiming width: Int, _ height: Int) throws -> [UInt8] {
        var file = try #require(ImageCase.named("jpeg photo 4:2:0")).file
        let frame = try #require((2..<file.count).first { file[$0] == 0xFF && file[$0 + 1] == 0xC0 })
        file.replaceSubrange(
            (frame + 5)..<(frame + 9),
            with: [height >> 8, height & 255, width >> 8, width & 255].map(UInt8.init))
        return file
    }

    @Test("A JPEG header that claims 65,500² is refused by its claim", arguments: [65_500, 65_535])
    func jpegHeader(_ side: Int) throws {
        let file = try Self.jpeg(claiming: side, side)
        let expected = ImageError.tooManyPixels(
            .jpeg, PixelSize(width: side, height: side), limit: ImageLimits().maxPixels)
        #expect(throws: expected) { try probe(file) }
        #expect(throws: expected) { try decode(file) }
    }

    @Test("A JPEG side over what libjpeg reads is unsupported, not a crash")
    func longJPEG() throws {
        let error = #expect(throws: ImageError.self) {
            try decode(try Self.jpeg(claiming: 65_535, 3))
        }
        guard case .unsupported(.jpeg, let detail) = error else {
            Issue.record("\(error?.message ?? "none")")
            return
        }
        #expect(detail.contains("65500"))
    }

    @Test(
        "A PNG header that claims too much is refused by its claim",
        arguments: [1_000_000, 0x7FFF_FFFF] as [UInt32])
    func pngHeader(_ side: UInt32) {
        let file = Self.signature + PNGChunks.header(width: side, height: side) + PNGChunks.chunk("IEND", [])
        let size = PixelSize(width: Int(side), height: Int(side))
        #expect(throws: ImageError.tooManyPixels(.png, size, limit: ImageLimits().maxPixels)) {
            try decode(file)
        }
    }

    @Test("Sides of zero, or of more than 31 bits, are malformed")
    func zeroSides() throws {
        for (width, height) in [(0, 5), (5, 0), (0, 0), (0x8000_0000, 1)] as [(UInt32, UInt32)] {
            let file = Self.signature + PNGChunks.header(width: width, height: height)
            #expect(
                throws: ImageError.malformed(
                    .png, byte: 16, detail: "the header declares \(width) × \(height) pixels")
            ) {
                try decode(file)
            }
        }
        for (width, height) in [(0, 5), (5, 0)] {
            let error = #expect(throws: ImageError.self) {
                try decode(try Self.jpeg(claiming: width, height))
            }
            guard case .malformed(.jpeg, _, _) = error else {
                Issue.record("\(error?.message ?? "none")")
                continue
            }
        }
    }

    @Test("The pixel limit is inclusive and stated")
    func pixelLimit() throws {
        let it = try #require(ImageCase.named("png photo"))
        let count = it.expected.size.pixelCount
        #expect(throws: Never.self) {
            try decode(it.file, limits: ImageLimits(maxPixels: count))
        }
        #expect(throws: ImageError.tooManyPixels(.png, it.expected.size, limit: count - 1)) {
            try decode(it.file, limits: ImageLimits(maxPixels: count - 1))
        }
    }

    @Test("A progressive JPEG of thousands of scans stops at the scan limit", arguments: [false, true])
    func scans(tolerant: Bool) throws {
        let file = try #require(ImageCase.named("jpeg photo 4:2:0 progressive")).file
        // The first scan with its own tables, which can be repeated: a first pass over the same coefficients.
        func marker(after start: Int, where matches: (UInt8) -> Bool) throws -> Int {
            try #require((start..<(file.count - 1)).first { file[$0] == 0xFF && matches(file[$0 + 1]) })
        }
        let frame = try marker(after: 2) { $0 == 0xC2 }
        let tables = try marker(after: frame + 2) { $0 == 0xC4 }
        let scan = try marker(after: tables + 2) { $0 == 0xDA }
        let next = try marker(after: scan + 2) { $0 != 0 && $0 != 0xFF }
        let bomb =
            file.dropLast(2) + Array(repeating: file[tables..<next], count: 5000).joined() + [0xFF, 0xD9]
        #expect(throws: ImageError.limitExceeded(.jpeg, resource: "scans", limit: 100)) {
            try decode(Array(bomb), options: DecodingOptions(allowTruncated: tolerant))
        }
    }

    @Test(
        "Decoders stay within their memory limit",
        arguments: ["jpeg photo 4:2:0 progressive", "png color 6 depth 16 13x11 interlaced"])
    func decoderMemory(_ name: String) throws {
        let it = try #require(ImageCase.named(name))
        let header = try probe(it.file)
        let needed = max(header.decoderBytes, header.salvageBytes)
        let limit = needed - 1
        let format: ImageFormat = name.hasPrefix("png") ? .png : .jpeg
        #expect(throws: ImageError.limitExceeded(format, resource: "bytes of decoder memory", limit: limit)) {
            try decode(it.file, limits: ImageLimits(maxDecoderBytes: limit))
        }
        #expect(throws: Never.self) {
            try decode(it.file, limits: ImageLimits(maxDecoderBytes: needed))
        }
    }

    @Test("Compressed data far larger than the picture is not unpacked")
    func inflation() throws {
        let white = PixelImage(width: 6000, height: 3000, samples: [UInt8](repeating: 255, count: 54_000_000))
        let large = try white.encoded(as: .png(level: 1))
        let small = PNGChunks.replacingHeader(of: large, by: PNGChunks.header(width: 6000, height: 1))
        let image = try decode(small)
        #expect(image.size == PixelSize(width: 6000, height: 1))
        #expect(throws: ImageError.self) {
            try decode(large, limits: ImageLimits(maxPixels: 1_000_000))
        }
    }

    @Test("Compressed text is passed over, however large it would become")
    func textBomb() throws {
        let it = try #require(ImageCase.named("png many IDATs"))
        let zeros = PixelImage(width: 4000, height: 1000, samples: [UInt8](repeating: 0, count: 12_000_000))
        let packed = try zeros.encoded(as: .png(level: 9))
        let stream = PNGChunks(packed).all.filter { $0.name == "IDAT" }.flatMap {
            packed[($0.start + 8)..<($0.end - 4)]
        }
        let text = PNGChunks.chunk("zTXt", Array("bomb".utf8) + [0, 0] + stream)
        let file = it.file[..<33] + Array(repeating: text, count: 50).joined() + it.file[33...]
        #expect(try decode(Array(file)) == it.expected)
    }
}
