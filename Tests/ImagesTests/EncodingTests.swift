import Images
import Testing

@Suite("Encoding")
struct EncodingTests {
    static let pictures = [
        "png photo", "png color 2 depth 8 1x1", "png color 2 depth 8 1x7", "png color 2 depth 8 3x5",
    ]

    @Test("PNG gives every sample back at every level", arguments: pictures, 0...9)
    func lossless(_ name: String, _ level: Int) throws {
        let image = try #require(ImageCase.named(name)).expected
        let file = try image.encoded(as: .png(level: level))
        #expect(ImageFormat(signatureOf: file.span) == .png)
        #expect(try decode(file) == image)
    }

    @Test("A part of an array is a picture like any other", arguments: pictures)
    func partOfMore(_ name: String) throws {
        let whole = try #require(ImageCase.named(name)).expected
        let more = [7, 8] + whole.samples + [9]
        let part = PixelImage(
            width: whole.width, height: whole.height, pixels: more[2..<(2 + whole.samples.count)])
        #expect(part == whole)
        #expect(part.samples == whole.samples)
        for encoding in [ImageEncoding.raw, .png(level: 1), .jpeg(quality: 90, subsampling: .full)] {
            #expect(try part.encoded(as: encoding) == whole.encoded(as: encoding))
        }
    }

    @Test("Copying a large part of an array ends when nobody wants it")
    func unwantedPart() {
        let more = [UInt8](repeating: 7, count: 3 * 4096 * 1024 + 1)
        let part = PixelImage(width: 4096, height: 1024, pixels: more[1...])
        #expect(throws: ImageError.unwanted) { try part.encoded(as: .raw, WorkWatch { false }) }
    }

    @Test("PNG level 0 stores and level 9 is smaller than level 1")
    func levels() throws {
        let image = try #require(ImageCase.named("png photo")).expected
        let sizes = try [0, 1, 9].map { try image.encoded(as: .png(level: $0)).count }
        #expect(sizes[0] > image.samples.count)
        #expect(sizes[1] < image.samples.count)
        #expect(sizes[2] < sizes[1])
    }

    @Test("JPEG stays close to the picture, closer with quality and full chroma", arguments: pictures)
    func lossy(_ name: String) throws {
        let image = try #require(ImageCase.named(name)).expected
        func error(_ quality: Int, _ subsampling: ImageEncoding.ChromaSubsampling) throws -> Double {
            let file = try image.encoded(as: .jpeg(quality: quality, subsampling: subsampling))
            let decoded = try decode(file)
            #expect(decoded.size == image.size)
            let sum = zip(decoded.samples, image.samples).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
            return Double(sum) / Double(image.samples.count)
        }
        #expect(try error(100, .full) < 1.5)
        #expect(try error(100, .full) <= error(100, .half))
        #expect(try error(100, .full) <= error(10, .full))
    }

    @Test("JPEG has the sampling factors asked for")
    func subsampling() throws {
        let image = try #require(ImageCase.named("png photo")).expected
        for (subsampling, factors) in [(.full, 0x11), (.half, 0x22)]
            as [(ImageEncoding.ChromaSubsampling, UInt8)]
        {
            let file = try image.encoded(as: .jpeg(quality: 90, subsampling: subsampling))
            let frame = try #require(
                (0..<(file.count - 12)).first { file[$0] == 0xFF && file[$0 + 1] == 0xC0 })
            #expect(file[frame + 11] == factors)
        }
    }

    @Test("Raw is the samples")
    func raw() throws {
        let image = try #require(ImageCase.named("png photo")).expected
        #expect(try image.encoded(as: .raw) == image.samples)
    }

    @Test("Options out of range are named")
    func options() throws {
        let image = PixelImage(width: 1, height: 1, samples: [1, 2, 3])
        #expect(throws: ImageError.invalidOption(name: "quality", expected: "1 … 100", found: "0")) {
            try image.encoded(as: .jpeg(quality: 0))
        }
        #expect(throws: ImageError.invalidOption(name: "quality", expected: "1 … 100", found: "101")) {
            try image.encoded(as: .jpeg(quality: 101))
        }
        #expect(throws: ImageError.invalidOption(name: "level", expected: "0 … 9", found: "10")) {
            try image.encoded(as: .png(level: 10))
        }
    }

    @Test("A side longer than JPEG can hold is an error, and no trouble for PNG")
    func longSide() throws {
        let image = PixelImage(width: 65_501, height: 1, samples: [UInt8](repeating: 9, count: 65_501 * 3))
        let error = #expect(throws: ImageError.self) { try image.encoded(as: .jpeg()) }
        guard case .unencodable(.jpeg, _) = error else {
            Issue.record("\(error?.message ?? "none")")
            return
        }
        #expect(try decode(try image.encoded(as: .png())) == image)
    }
}
