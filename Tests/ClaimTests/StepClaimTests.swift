import AllocationCount
import Images
import JSON
import Perturbation
import Testing

/// Every step takes what it says of itself, neither more nor much less.
@Suite("Steps take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct StepClaimTests {
    static let steps: [String] = [
        #"{"step": "color_jitter", "brightness": 1.2, "contrast": 0.7, "saturation": 1.4}"#,
        #"{"step": "color_jitter", "hue": 0.2}"#,
        #"{"step": "perspective", "startpoints": [[0,0],[99,0],[99,99],[0,99]], "endpoints": [[3,2],[90,5],[99,99],[0,90]]}"#,
        #"{"step": "perspective", "startpoints": [[0,0],[9,0],[9,9],[0,9]], "endpoints": [[0,0],[9,0],[9,9],[0,9]]}"#,
        #"{"step": "rotation", "degrees": 0}"#, #"{"step": "rotation", "degrees": 180}"#,
        #"{"step": "rotation", "degrees": 90, "expand": true}"#, #"{"step": "rotation", "degrees": 7.5}"#,
        #"{"step": "rotation", "degrees": 0.01, "expand": true, "interpolation": "bilinear", "fill": [1, 2, 3]}"#,
        #"{"step": "gaussian_blur"}"#, #"{"step": "gaussian_blur", "kernel_size": 99, "sigma": 20}"#,
        #"{"step": "occlusion", "patches": [[0, 0, 1, 1]], "noise_seed": 3}"#,
        #"{"step": "affine", "translate": [5, 3], "fill": [1, 2, 3]}"#,
        #"{"step": "affine", "degrees": 20, "interpolation": "bilinear"}"#,
        #"{"step": "horizontal_flip"}"#, #"{"step": "vertical_flip"}"#, #"{"step": "posterize"}"#,
        #"{"step": "solarize"}"#, #"{"step": "solarize", "threshold": 256}"#, #"{"step": "invert"}"#,
        #"{"step": "grayscale"}"#, #"{"step": "patch_blackening", "patch": 1, "mask_seed": 1}"#,
        #"{"step": "black_square_cover", "patch": 20, "coverage": 0.5, "cover_seed": 1}"#,
        #"{"step": "diffusion_noise", "t": 500, "noise_seed": 1}"#,
        #"{"step": "gaussian_noise", "sigma": 10, "noise_seed": 1}"#, #"{"step": "fill"}"#,
        #"{"step": "fill", "color": [1, 2, 3]}"#,
        #"{"step": "crop_fill", "left": 0, "top": 0, "width": 1, "height": 1}"#,
        #"{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 5}"#,
        #"{"step": "patch_shuffle", "patch": 14, "shuffle_seed": 5}"#,
    ]

    static let pairs = [
        #"{"step": "mixup", "image": 1}"#, #"{"step": "mixup", "image": 1, "fit": "stretch"}"#,
        #"{"step": "concat", "image": 1}"#,
    ]

    static func step(_ text: String) throws -> any PerturbationStep {
        try StepCatalogue.step(from: try JSONValue(parsing: Array(text.utf8)))
    }

    @Test("No step is left out")
    func all() throws {
        let tried = Set(try (Self.steps + Self.pairs).map { try Self.step($0).name } + ["zoom_crop"])
        #expect(tried == Set(StepCatalogue.all.map { $0.name }))
    }

    @Test("Counting sees what is allocated and freed")
    func counting() {
        let (taken, kept) = Allocations.counting {
            _ = [UInt8](repeating: 1, count: 300_000).reversed()[5]
            return [UInt8](repeating: 2, count: 100_000)
        }
        #expect(kept.count == 100_000 && (100_000..<110_000).contains(taken.kept))
        #expect((300_000..<620_000).contains(taken.peak))
    }

    @Test("Alone", arguments: steps, shapes)
    func alone(_ text: String, _ size: PixelSize) throws {
        let step = try Self.step(text)
        guard (try? step.outputSize(for: size)) != nil else { return }
        try expectClaim(step, noise(size.width, size.height), nil, text)
    }

    @Test("Crops of one pixel to all of them", arguments: shapes, [1, 2, 3, 5000, 1_000_000])
    func crops(_ size: PixelSize, _ divisor: Int) throws {
        let (width, height) = (max(1, size.width / divisor), max(1, size.height / divisor))
        let text = #"{"step": "zoom_crop", "left": 0, "top": 0, "width": \#(width), "height": \#(height)}"#
        try expectClaim(try Self.step(text), noise(size.width, size.height), nil, text)
    }

    @Test("Beside a second picture of any shape", arguments: pairs, shapes)
    func beside(_ text: String, _ size: PixelSize) throws {
        let step = try #require(try Self.step(text) as? any PairStep)
        for other in shapes {
            guard let result = try? step.outputSize(for: size, beside: other), result.pixelCount < 400_000
            else {
                continue
            }
            try expectClaim(
                step, noise(size.width, size.height), noise(other.width, other.height),
                "\(text) beside \(other)")
        }
    }

    private func expectClaim(
        _ step: any PerturbationStep, _ image: PixelImage, _ other: PixelImage?, _ text: String
    ) throws {
        let claim = step.demand(for: image.size) { _ in other?.size }
        let (taken, result) = try Allocations.counting { try step.apply(to: image) { _ in other } }
        taken.expect(within: claim.peakBytes, "\(text) of \(image.size)")
        #expect(taken.kept <= claim.keptBytes + Allocations.smallObjects, "\(text) of \(image.size)")
        #expect(claim.keptBytes == 0 || claim.keptBytes - result.samples.count < 8192, "\(text)")
    }
}
