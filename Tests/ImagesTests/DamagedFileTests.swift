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
            // Without its header there is no picture to speak of.
            switch error {
            case .malformed(.png, _, let detail):
                #expect(chunk.name == "IHDR")
                #expect(detail.contains("CRC") && !detail.contains("allow_truncated"))
            case .damaged(.png, _, let detail):
                #expect(detail.contains("CRC") && detail.contains("; allow_truncated would"))
            default: Issue.record("\(chunk.name): \(error?.message ?? "none")")
            }
        }
    }

    /// The data of the last scan, with something done to them.
    private static func jpeg(
        _ name: String, _ change: (inout [UInt8], _ scan: Range<Int>) -> Void
    ) throws -> (file: [UInt8], whole: PixelImage) {
        let it = try #require(ImageCase.named(name))
        var file = it.file
        let start = try #require(file.indices.dropLast().last { file[$0] == 0xFF && file[$0 + 1] == 0xDA })
        change(&file, (start + 14)..<(file.count - 2))
        return (file, it.expected)
    }

    @Test("A scan whose codes do not end where its data end is damaged, and only then")
    func damagedScans() throws {
        func refusal(_ change: (inout [UInt8], Range<Int>) -> Void) throws -> ImageError? {
            let (file, _) = try Self.jpeg("jpeg photo 4:4:4", change)
            do throws(ImageError) {
                _ = try decode(file)
                return nil
            } catch {
                _ = try decode(file, options: DecodingOptions(allowTruncated: true))
                return error
            }
        }
        func isDamage(_ error: ImageError?, _ words: String) -> Bool {
            guard case .damaged(.jpeg, _, let detail) = error else { return false }
            return detail.contains(words) && detail.contains("; allow_truncated would")
        }
        let left = try refusal { file, scan in
            file.insert(contentsOf: [UInt8](repeating: 0x5A, count: 40), at: scan.upperBound)
        }
        #expect(isDamage(left, "extraneous"), "\(left?.message ?? "none")")
        let inside = try refusal { file, scan in
            file.insert(contentsOf: [UInt8](repeating: 0x5A, count: 60), at: scan.lowerBound + scan.count / 2)
        }
        #expect(isDamage(inside, ""), "\(inside?.message ?? "none")")
        let short = try refusal { file, scan in
            file.removeSubrange((scan.lowerBound + scan.count / 2)..<scan.upperBound)
        }
        #expect(isDamage(short, "premature end"), "\(short?.message ?? "none")")
        let code = try refusal { file, scan in
            for place in scan.prefix(200).suffix(60) { file[place] = 0xFE }
        }
        #expect(isDamage(code, ""), "\(code?.message ?? "none")")
        let cut = try refusal { file, scan in file.removeSubrange((scan.lowerBound + scan.count / 2)...) }
        guard case .truncated(.jpeg, _, let detail) = cut else {
            Issue.record("\(cut?.message ?? "none")")
            return
        }
        #expect(detail.contains("; allow_truncated would"))

        // Padding behind the data, and what stands between segments, are no damage.
        #expect(
            try refusal { file, scan in
                file.insert(contentsOf: [UInt8](repeating: 0, count: 40), at: scan.upperBound)
            } == nil)
        #expect(try refusal { file, _ in file.insert(contentsOf: [1, 2, 3, 0xFF, 0, 4], at: 20) } == nil)
    }

    @Test("A second frame header within a JPEG is damage, however large a picture it claims")
    func secondFrame() throws {
        let frame: [UInt8] = [
            0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF, 0xFF, 0xFF, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0,
        ]
        for name in ["jpeg photo 4:4:4", "jpeg photo 4:4:4 progressive"] {
            let (file, whole) = try Self.jpeg(name) { file, scan in
                file.insert(contentsOf: frame, at: scan.upperBound)
            }
            #expect { try decode(file) } throws: {
                guard case .damaged(.jpeg, _, _) = $0 as? ImageError else { return false }
                return true
            }
            #expect(try decode(file, options: DecodingOptions(allowTruncated: true)) == whole)
        }
    }

    @Test("Nothing is said of allow_truncated where it would not help")
    func beyondHelp() throws {
        let jpeg = try #require(ImageCase.named("jpeg photo 4:2:0")).file
        let png = try #require(ImageCase.named("png photo")).file
        for file in [
            Array(jpeg.prefix(100)), Array(png.prefix(36)), Array(png[..<24]) + [7] + Array(png[25...]),
        ] {
            for allowed in [false, true] {
                let error = #expect(throws: ImageError.self) {
                    try decode(file, options: DecodingOptions(allowTruncated: allowed))
                }
                #expect(error?.message.contains("allow_truncated") == false, "\(error?.message ?? "none")")
            }
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
