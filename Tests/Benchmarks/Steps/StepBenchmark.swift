import Images
import JSON
import Perturbation

/// For every step, encoding and decoding on the worst pictures of fifty megapixels: how long it takes, how many of its
/// operations go into a nanosecond, and the longest time between two questions whether it is still wanted; all in processor time.
///
///     swift run -c release step-benchmark [MEGAPIXELS [SHAPE, 0 … 2]]
@main
enum StepBenchmark {
    static let steps: [String] = [
        #"{"step": "color_jitter", "brightness": 1.2, "contrast": 0.7, "saturation": 1.4}"#,
        #"{"step": "color_jitter", "hue": 0.2}"#,
        #"{"step": "perspective", "startpoints": [[0,0],[99,0],[99,99],[0,99]], "endpoints": [[3,2],[90,5],[99,99],[0,90]]}"#,
        #"{"step": "rotation", "degrees": 180}"#, #"{"step": "rotation", "degrees": 90, "expand": true}"#,
        #"{"step": "rotation", "degrees": 7.5}"#,
        #"{"step": "rotation", "degrees": 7.5, "interpolation": "bilinear"}"#,
        #"{"step": "gaussian_blur"}"#, #"{"step": "gaussian_blur", "kernel_size": 99, "sigma": 20}"#,
        #"{"step": "affine", "translate": [5, 3], "fill": [1, 2, 3]}"#,
        #"{"step": "affine", "degrees": 20, "interpolation": "bilinear"}"#,
        #"{"step": "horizontal_flip"}"#, #"{"step": "vertical_flip"}"#, #"{"step": "posterize"}"#,
        #"{"step": "solarize"}"#, #"{"step": "invert"}"#, #"{"step": "grayscale"}"#,
        #"{"step": "patch_blackening", "patch": 1, "mask_seed": 1}"#,
        #"{"step": "black_square_cover", "patch": 1, "coverage": 0.99, "cover_seed": 1}"#,
        #"{"step": "black_square_cover", "patch": 5000, "coverage": 0.99, "cover_seed": 1}"#,
        #"{"step": "diffusion_noise", "t": 500, "noise_seed": 1}"#,
        #"{"step": "gaussian_noise", "sigma": 10, "noise_seed": 1}"#,
        #"{"step": "fill", "color": [1, 2, 3]}"#,
        #"{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 5}"#,
        #"{"step": "mixup", "image": 1}"#, #"{"step": "mixup", "image": 1, "fit": "stretch"}"#,
        #"{"step": "concat", "image": 1}"#,
    ]

    static func main() throws {
        let megapixels = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 50
        let pixels = megapixels * 1_000_000
        let side = Int(Double(pixels).squareRoot())
        print(
            "| what | picture | ms | operations per ns | longest without a question, ms |\n|---|---|---|---|---|"
        )
        let chosen = CommandLine.arguments.dropFirst(2).first.flatMap(Int.init)
        for (shape, (width, height)) in [(side, side), (1, pixels), (pixels, 1)].enumerated()
        where chosen == nil || chosen == shape {
            let image = noise(width, height)
            let other = noise(1, pixels)
            for text in steps + placed(width, height) {
                let step = try StepCatalogue.step(from: try JSONValue(parsing: Array(text.utf8)))
                let find: (PictureReference) -> PixelImage? = { _ in other }
                guard (try? step.outputSize(for: image.size, among: { _ in other.size })) != nil else {
                    continue
                }
                let claim = step.demand(for: image.size) { _ in other.size }
                try measure(String(text.dropFirst(9).prefix(60)), image, claim.operations) {
                    _ = try step.apply(to: image, $0, among: find)
                }
            }
            for encoding in [.png(level: 0), .png(level: 1), .png(level: 9), .jpeg()] as [ImageEncoding] {
                guard encoding.flaw(for: image.size) == nil else { continue }
                var file: [UInt8] = []
                try measure("\(encoding)", image, encoding.demand(for: image.size).operations) {
                    file = try image.encoded(as: encoding, $0)
                }
                // The widest strips are refused: a row of theirs is too large.
                guard let header = try? ImageHeader(probing: file.span) else { continue }
                let work = header.demand(of: file.span, DecodingOptions()).work
                try measure("decoding \(encoding)", image, work.operations) {
                    _ = try PixelImage(decoding: file.span, $0)
                }
            }
        }
    }

    /// Those whose places follow from the picture.
    static func placed(_ width: Int, _ height: Int) -> [String] {
        let (half, low) = (max(1, width / 2), max(1, height / 2))
        return [
            #"{"step": "zoom_crop", "left": 0, "top": 0, "width": \#(half), "height": \#(low)}"#,
            #"{"step": "zoom_crop", "left": 0, "top": 0, "width": 1, "height": 1}"#,
            #"{"step": "crop_fill", "left": 0, "top": 0, "width": \#(width), "height": \#(height)}"#,
            #"{"step": "occlusion", "patches": [[0, 0, \#(width), \#(height)]], "noise_seed": 3}"#,
        ]
    }

    static func measure(
        _ what: String, _ image: PixelImage, _ operations: Int, _ work: (WorkWatch) throws -> Void
    ) throws {
        let questions = Questions()
        try work(WorkWatch { questions.ask() })
        let (time, longest) = questions.spans()
        let words = [time, longest].map { Int(($0 / .microseconds(1)).rounded()) }
        print(
            "| \(what) | \(image.size) | \(words[0] / 1000) | "
                + "\((Double(operations) / Double(max(1, words[0])) / 10).rounded() / 100) | "
                + "\(Double(words[1] / 100) / 10) |")
    }

    static func noise(_ width: Int, _ height: Int) -> PixelImage {
        var state = UInt64(width)
        let samples = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) { samples, count in
            count = width * height * 3
            for index in 0..<count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                unsafe samples[index] = UInt8(truncatingIfNeeded: state >> 40)
            }
        }
        return PixelImage(width: width, height: height, samples: samples)
    }
}
