import Images
import JSON
import Perturbation
import TestMaterial
import Testing

@Suite("Whether a step changes a picture of this size")
struct UnchangedTests {
    static let sizes = [(1, 1), (1, 9), (2, 2), (3, 3), (2, 7), (8, 5), (21, 21), (30, 12)]

    /// Steps at and around the point from which they change something.
    static let steps: [String] = {
        let degrees = [0, 1e-9, 0.1, 0.2, 0.2296, 0.4, 0.7, 1, 5, 10, 45, 90, 180, 270, 360, -0.2296, -359.9]
        var steps: [String] = []
        for degrees in degrees {
            for rest in ["", #","interpolation":"bilinear""#, #","expand":true"#] {
                steps.append(#"{"step":"rotation","degrees":\#(degrees)\#(rest)}"#)
            }
            steps.append(#"{"step":"affine","degrees":\#(degrees)}"#)
            steps.append(#"{"step":"affine","degrees":\#(degrees),"interpolation":"bilinear"}"#)
        }
        for scale in [0.98, 0.999, 0.99999, 1, 1.00001, 1.001, 1.02] {
            for interpolation in ["nearest", "bilinear"] {
                steps.append(
                    #"{"step":"affine","degrees":0,"scale":\#(scale),"interpolation":"\#(interpolation)"}"#)
            }
            steps.append(#"{"step":"affine","degrees":0.001,"scale":\#(scale)}"#)
        }
        for factor in [0.99, 0.9999, 1, 1.00000001, 1.0001, 1.0039, 1.004, 1.2] {
            for name in ["brightness", "contrast", "saturation"] {
                steps.append(#"{"step":"color_jitter","\#(name)":\#(factor)}"#)
            }
        }
        for sigma in [0.01, 0.1, 0.2, 0.25, 0.27, 0.28, 0.29, 0.3, 0.35, 0.5, 1] {
            for kernel in [1, 3, 5] {
                for padding in ["zeros", "reflect"] {
                    steps.append(
                        #"{"step":"gaussian_blur","kernel_size":\#(kernel),"sigma":\#(sigma),"padding":"\#(padding)"}"#
                    )
                }
            }
        }
        for sigma in [0, 0.05, 0.11, 0.115, 0.116, 0.12, 0.15, 0.2, 0.5] {
            for seed in 0..<4 {
                steps.append(#"{"step":"gaussian_noise","sigma":\#(sigma),"noise_seed":\#(seed)}"#)
            }
        }
        for seed in 0..<60 {
            steps.append(#"{"step":"diffusion_noise","t":\#(seed % 2),"noise_seed":\#(seed)}"#)
        }
        for seed in 0..<12 {
            steps.append(#"{"step":"patch_shuffle","patch":\#(1 + seed / 3),"shuffle_seed":\#(seed)}"#)
            for probability in [0, 1e-7, 0.01, 0.3] {
                steps.append(
                    #"{"step":"patch_blackening","patch":4,"probability":\#(probability),"mask_seed":\#(seed)}"#
                )
            }
        }
        for points in [
            "[[0,0],[8,0],[8,8],[0,8]]", "[[0,0],[9,0],[8,8],[0,8]]", "[[1,1],[8,0],[8,8],[0,8]]",
            "[[0,0],[800,0],[800,801],[0,800]]",
        ] {
            for start in ["[[0,0],[8,0],[8,8],[0,8]]", "[[0,0],[800,0],[800,800],[0,800]]"] {
                for interpolation in ["nearest", "bilinear"] {
                    steps.append(
                        #"{"step":"perspective","startpoints":\#(start),"endpoints":\#(points),"interpolation":"\#(interpolation)"}"#
                    )
                }
            }
        }
        steps += [
            #"{"step":"horizontal_flip"}"#, #"{"step":"vertical_flip"}"#, #"{"step":"invert"}"#,
            #"{"step":"grayscale"}"#, #"{"step":"fill"}"#, #"{"step":"posterize","bits":8}"#,
            #"{"step":"posterize","bits":7}"#, #"{"step":"solarize","threshold":256}"#,
            #"{"step":"solarize","threshold":255}"#, #"{"step":"occlusion","patches":[],"noise_seed":1}"#,
            #"{"step":"occlusion","patches":[[0,0,1,1]],"noise_seed":1}"#,
            #"{"step":"black_square_cover","coverage":0,"cover_seed":1}"#,
            #"{"step":"black_square_cover","coverage":0.0001,"cover_seed":1}"#,
            #"{"step":"zoom_crop","left":0,"top":0,"width":1,"height":1}"#,
            #"{"step":"zoom_crop","left":0,"top":0,"width":8,"height":5}"#,
            #"{"step":"crop_fill","left":0,"top":0,"width":1,"height":0}"#,
            #"{"step":"crop_fill","left":0,"top":0,"width":1,"height":1}"#,
        ]
        return steps
    }()

    /// Pictures that between them show what a step can change: every place its own color, noise of full contrast, ramps,
    /// lone pixels of one end of the levels among the other.
    static func pictures(_ size: PixelSize) -> [PixelImage] {
        func picture(_ color: (Int, Int, Int) -> UInt8) -> PixelImage {
            var samples: [UInt8] = []
            for y in 0..<size.height {
                for x in 0..<size.width { for channel in 0..<3 { samples.append(color(x, y, channel)) } }
            }
            return PixelImage(width: size.width, height: size.height, samples: samples)
        }
        var generator = SeededGenerator(seed: 9)
        let noise = (0..<3).map { _ in picture { _, _, _ in UInt8.random(in: 0...255, using: &generator) } }
        let hard = (0..<3).map { _ in picture { _, _, _ in Bool.random(using: &generator) ? 255 : 0 } }
        let lone = [(0, 0), (size.width / 2, size.height / 2)].flatMap { place in
            [UInt8(0), 255].map { level in
                picture { x, y, _ in x == place.0 && y == place.1 ? level : ~level }
            }
        }
        let levels = [255, 0, 1, 2, 50, 100, 128, 129, 200, 249, 250, 251, 252, 253, 254]
        let flat = levels.map { level in picture { _, _, channel in UInt8((level + channel * 40) & 255) } }
        return noise + hard + lone + [
            picture { x, y, channel in UInt8((x * 5 + y * 3 + channel * 77) & 255) }
        ] + flat
    }

    @Test("A step says so of exactly the sizes whose every picture it leaves as it is", arguments: sizes)
    func agreement(_ width: Int, _ height: Int) throws {
        let size = PixelSize(width: width, height: height)
        let pictures = Self.pictures(size)
        var (unchanging, changing) = (0, 0)
        for text in Self.steps {
            let step = try StepCatalogue.step(from: JSONValue(parsing: text))
            guard let result = try? step.outputSize(for: size) else { continue }
            let says = result == size && step.leavesUnchanged(size)
            let changed = try pictures.contains { try step.apply(to: $0) != $0 }
            #expect(says == !changed, "\(size): \(text)")
            unchanging += says ? 1 : 0
            changing += changed ? 1 : 0
        }
        #expect(unchanging > 20 && changing > 100)
    }

    @Test("With always every view changes, at sizes and in recipes where chance often spares it")
    func always() throws {
        let noise = Self.pictures(PixelSize(width: 112, height: 112))[0]
        let steps = try DrawTests.recipe("cppo-preserving").draw(
            seed: DrawTests.seed(3), key: ImageKey(id: "a"), variant: 3, width: 112, height: 112, always: true
        )
        let view = try steps.reduce(noise) { try $1.apply(to: $0) }
        #expect(view != noise)

        let own = try JSONValue(
            parsing: #"{"name":"own","one_of":[{"step":"rotation","degrees":{"uniform":[-1,1]}},"#
                + #"{"step":"color_jitter","brightness":{"uniform":[0.99,1.01]}},{"step":"horizontal_flip"},"#
                + #"{"step":"gaussian_noise","sigma":{"uniform":[0,0.2]}},"#
                + #"{"steps":[{"step":"vertical_flip","applied":0.5},{"step":"zoom_crop","scale":{"uniform":[0.9,1]}}]}]}"#
        )
        for recipe in try [
            DrawTests.recipe("cppo-preserving"), DrawTests.recipe("cppo-removing"), Recipe(json: own),
        ] {
            for (width, height) in [(1, 1), (2, 2), (3, 3), (8, 5), (30, 12)] {
                for variant in 0..<8 {
                    let steps = try recipe.draw(
                        seed: DrawTests.seed(1), key: ImageKey(id: "a"), variant: variant, width: width,
                        height: height, always: true)
                    let size = PixelSize(width: width, height: height)
                    #expect(
                        steps.contains { !$0.leavesUnchanged(size) },
                        "\(recipe.name) \(size) variant \(variant)")
                }
            }
        }
    }

    @Test("A recipe none of whose draws can change so small a picture comes to an end")
    func hopeless() throws {
        let json = try JSONValue(parsing: #"{"step":"rotation","degrees":{"uniform":[-10,10]}}"#)
        let steps = try Recipe(json: json).draw(
            seed: DrawTests.seed(1), key: ImageKey(id: "a"), width: 1, height: 1, always: true)
        #expect(steps.count == 1)
    }
}
