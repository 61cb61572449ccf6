import Images

/// What is measured, and on which pictures.
enum Workload {
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

    static let encodings: [ImageEncoding] =
        [0, 1, 2, 6, 9].map { .png(level: $0) } + [.jpeg(), .jpeg(quality: 100, subsampling: .full)]

    /// What a picture shows decides what some of it takes, zlib's search most of all.
    enum Content: String, CaseIterable {
        /// No two samples have to do with each other.
        case noise
        /// Smooth, with a little noise over it, as photographs are.
        case smooth
        case flat

        func picture(_ width: Int, _ height: Int) -> PixelImage {
            var state = UInt64(width)
            let samples = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) { samples, count in
                count = width * height * 3
                var index = 0
                for y in 0..<height {
                    for x in 0..<(width * 3) {
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        let chance = Int(state >> 40)
                        unsafe samples[index] = sample(x / 3, y, chance)
                        index += 1
                    }
                }
            }
            return PixelImage(width: width, height: height, samples: samples)
        }

        private func sample(_ x: Int, _ y: Int, _ chance: Int) -> UInt8 {
            switch self {
            case .noise: UInt8(truncatingIfNeeded: chance)
            case .smooth: UInt8(truncatingIfNeeded: 40 + (x / 16 + y / 16) % 160 + chance % 19)
            case .flat: 90
            }
        }
    }
}
