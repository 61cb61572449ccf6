import ForeignPictures
import Images
import JSON
import Perturbation
import Testing
import WorkQuestions

@testable import Service

/// What nobody waits for ends before it is made.
@Suite("Work ends when nobody wants it")
struct LeavingTests {
    @Test("Steps", arguments: StepClaimTests.steps + StepClaimTests.pairs)
    func steps(_ text: String) throws {
        let step = try StepClaimTests.step(text)
        let (image, other) = (noise(330, 300), noise(200, 300))
        guard step.demand(for: image.size, among: { _ in other.size }) != .nothing else { return }
        #expect(throws: StepError.unwanted) {
            try step.apply(to: image, WorkWatch { false }) { _ in other }
        }
    }

    @Test("A digest of many texts")
    func digest() {
        let texts = [ArraySlice<UInt8>](repeating: [1, 2, 3], count: 10_000)
        #expect(PerturbReply.digest(texts, WorkWatch { false }) == nil)
        #expect(PerturbReply.digest(texts, WorkWatch { true })?.isEmpty == false)
    }

    @Test("Files of other kinds", arguments: [1, 99])
    func foreign(_ scans: Int) throws {
        let image = noise(330, 300)
        for file in [
            ForeignPicture.progressive(image, scans: scans),
            ForeignPicture.png(image, hasAlpha: true, depth: 16, isInterlaced: true),
        ] {
            #expect(throws: ImageError.unwanted) {
                try PixelImage(decoding: file.span, WorkWatch { false })
            }
        }
    }

    /// libpng takes a row at a time, and once was asked about nothing in between, for about half of the time. Now no silence
    /// is longer than a thirtieth. A share of the whole does not depend on the machine or on sanitizers.
    @Test("Rows of any width are asked about", arguments: [1, 2])
    func wide(_ height: Int) throws {
        let image = PixelImage(
            width: 24_000_000 / height, height: height, samples: [UInt8](repeating: 9, count: 72_000_000))
        var files: [[UInt8]] = []
        for level in [0, 2, 6] {
            let encoding = Questions()
            let file = try image.encoded(as: .png(level: level), WorkWatch { encoding.ask() })
            #expect(encoding.longestShare < 0.25)
            files.append(file)
        }
        for file in files {
            let decoding = Questions()
            let decoded = try PixelImage(decoding: file.span, WorkWatch { decoding.ask() })
            #expect(decoding.longestShare < 0.25)
            #expect(decoded == image)
        }
    }

    @Test("Codecs", arguments: [.png(level: 0), .png(level: 1), .png(level: 9), .jpeg()] as [ImageEncoding])
    func codecs(_ encoding: ImageEncoding) throws {
        let image = noise(330, 300)
        #expect(throws: ImageError.unwanted) { try image.encoded(as: encoding, WorkWatch { false }) }
        let file = try image.encoded(as: encoding)
        for options in [DecodingOptions(), DecodingOptions(allowTruncated: true)] {
            #expect(throws: ImageError.unwanted) {
                try PixelImage(decoding: file.span, options: options, WorkWatch { false })
            }
        }
    }
}

extension Questions {
    /// The longest time between two questions, as a share of all.
    fileprivate var longestShare: Double {
        let (all, longest) = spans()
        return longest / all
    }
}
