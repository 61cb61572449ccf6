import Images
import JSON
import TestMaterial
import Testing

/// One line of the perturbation golden files: what torchvision and Pillow make of a picture and a step.
struct StepCase: Sendable, CustomTestStringConvertible {
    let input: PixelImage
    let step: JSONValue
    /// Where the step reads a second picture.
    let second: PixelImage?
    let output: PixelImage
    /// Whether one level in one sample of a thousand may differ.
    let close: Bool

    var testDescription: String { "\(input.size) \(step.text)" }

    static let all: [StepCase] = {
        let samples = GoldenFolder.bytes(of: "perturbations/samples.bin")
        func picture(_ json: JSONValue?) -> PixelImage? {
            guard let numbers = json?.array?.compactMap({ $0.integer }).map(Int.init), numbers.count == 3
            else {
                return nil
            }
            let (width, height, offset) = (numbers[0], numbers[1], numbers[2])
            return PixelImage(
                width: width, height: height, samples: Array(samples[offset..<(offset + width * height * 3)]))
        }
        return GoldenFolder.lines(of: "perturbations/steps.txt").compactMap { line in
            guard let json = try? JSONValue(parsing: line), let step = json["step"],
                let input = picture(json["input"]), let output = picture(json["output"]),
                let close = json["close"]?.bool
            else { return nil }
            return StepCase(
                input: input, step: step, second: picture(json["second"]), output: output, close: close)
        }
    }()

    static let photo = all.map(\.input).max { $0.size.pixelCount < $1.size.pixelCount }
}

/// FNV-1a of 64 bits, to pin bytes down in a test.
func fingerprint(of bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
}
