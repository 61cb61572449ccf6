import Images
import JSON
import Perturbation
import Testing

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
