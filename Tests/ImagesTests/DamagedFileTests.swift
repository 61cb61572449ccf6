import Images
import Testing

@Suite("Damaged files")
struct DamagedFileTests {
    /// Cutting what follows the end of the image is no damage.
    static let cuttable = ImageCase.files.filter { $0.name != "jpeg with bytes after its end" }

    @Test("A file cut at any 64th byte, or before its last bytes, is an error", arguments: cuttable)
    func truncated(_ it: ImageCase) {
        let cuts = Array(stride(from: 0, to: it.file.count, by: 64)) + [it.file.count - 2, it.file.count - 1]
        for cut in cuts {
            let error = #expect(throws: ImageError.self) {
                try decode(Array(it.file[..<cut]), options: it.options)
            }
            switch error {
            case .empty, .unknownFormat: #expect(cut < 8)
            case .truncated(_, let byte, let detail):
                #expect(byte <= cut)
                #expect(!detail.isEmpty)
            default: Issue.record("cut at \(cut) of \(it.file.count): \(error?.message ?? "none")")
            }
        }
    }

    @Test(
        "A cut file can be decoded as far as it goes when that is asked for",
        arguments: ["png photo", "jpeg photo 4:2:0"])
    func tolerated(_ name: String) throws {
        let it = try #require(ImageCase.named(name))
        let half = it.file[..<(it.file.count / 2)]
        let image = try decode(Array(half), options: DecodingOptions(allowTruncated: true))
        let row = image.width * 3
        #expect(image.size == it.expected.size)
        #expect(image.samples[..<(8 * row)] == it.expected.samples[..<(8 * row)])
        #expect(image != it.expected)
    }

    @Test("No change of bytes crashes the decoder", arguments: ImageCase.files)
    func mutated(_ it: ImageCase) {
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let limits = ImageLimits(maxPixels: 100_000, maxScans: 20, maxDecoderBytes: 4 << 20)
        for round in 0..<24 {
            var file = it.file
            for _ in 0...(round % 4) { file[next(file.count)] = UInt8(next(256)) }
            let options = DecodingOptions(orientation: .apply, allowTruncated: round % 2 == 0)
            do throws(ImageError) {
                let image = try decode(file, options: options, limits: limits)
                #expect(image.size.pixelCount <= 100_000)
            } catch {
                #expect(!error.message.isEmpty)
            }
        }
    }

    @Test("A wrong checksum in any chunk of a PNG is an error")
    func badChecksum() throws {
        let it = try #require(ImageCase.named("png with gamma, text, time"))
        for chunk in PNGChunks(it.file).all {
            var file = it.file
            file[chunk.end - 1] ^= 1
            let error = #expect(throws: ImageError.self) { try decode(file) }
            guard case .malformed(.png, _, let detail) = error else {
                Issue.record("\(chunk.name): \(error?.message ?? "none")")
                continue
            }
            #expect(detail.contains("CRC"))
        }
    }

    @Test("A file that is no picture is told by its first bytes")
    func noPicture() throws {
        let error = #expect(throws: ImageError.self) {
            try decode(Array("GIF89a, or so".utf8))
        }
        #expect(error == .unknownFormat(leading: Array("GIF89a, ".utf8)))
        #expect(error?.message.contains("47 49 46 38") == true)
        #expect(throws: ImageError.empty) { try decode([]) }
        #expect(throws: ImageError.unknownFormat(leading: [0xFF])) {
            try decode([0xFF])
        }
    }

    @Test("Only the signature of a format is a truncated file of it")
    func signatureOnly() {
        for signature: [UInt8] in [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], [0xFF, 0xD8, 0xFF]] {
            let error = #expect(throws: ImageError.self) { try probe(signature) }
            guard case .truncated = error else {
                Issue.record("\(error?.message ?? "none")")
                continue
            }
        }
    }
}
