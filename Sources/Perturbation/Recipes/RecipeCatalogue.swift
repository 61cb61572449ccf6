internal import JSON

/// The closed list of named recipes, in the language in which clients write their own. Ranges are those of the methods'
/// reference code.
package enum RecipeCatalogue {
    package static let all: [Recipe] = sources.map { source in
        do throws(RecipeError) {
            return try Recipe(json: source)
        } catch {
            preconditionFailure(
                "the catalogue's own recipe is wrong at \(error.path): \(error.error.message)")
        }
    }

    /// The recipe of this name, or nil.
    package static func recipe(named name: String) -> Recipe? { all.first { $0.name == name } }

    private static let colorJitter: JSONValue = [
        "step": "color_jitter", "brightness": ["uniform": [0.2, 1.3]], "contrast": ["uniform": [0.2, 1.8]],
        "saturation": ["uniform": [0.2, 1.8]],
        "order": ["permutation": ["brightness", "contrast", "saturation"]],
    ]
    private static let perspective: JSONValue = ["step": "perspective", "distortion": 0.2, "applied": 0.5]
    private static let rotation: JSONValue = ["step": "rotation", "degrees": ["uniform": [-10, 10]]]
    private static let blur: JSONValue = [
        "step": "gaussian_blur", "kernel_size": 3, "sigma": 1, "padding": "zeros",
    ]
    private static let occlusion: JSONValue = [
        "step": "occlusion", "count": 50, "width_ratio": ["uniform": [0.05, 0.15]],
        "height_ratio": ["uniform": [0.05, 0.15]],
    ]
    private static let zoomCrop: JSONValue = ["step": "zoom_crop", "scale": ["uniform": [0.6, 0.7]]]

    private static let sources: [JSONValue] = [
        [
            "name": "cppo-preserving", "view": "preserving",
            "summary": "One of color jitter, perspective and rotation, uniformly: CPPO's verl recipe.",
            "one_of": [colorJitter, perspective, rotation],
        ],
        [
            "name": "cppo-preserving-areal", "view": "preserving",
            "summary": "The same three and a slight blur, uniformly: CPPO's AReaL recipe.",
            "one_of": [colorJitter, perspective, rotation, blur],
        ],
        [
            "name": "cppo-removing", "view": "removing",
            "summary": "Either fifty patches of noise or a crop of under half the picture, enlarged.",
            "one_of": [occlusion, zoomCrop],
        ],
        [
            "name": "papo-removing", "view": "removing",
            "summary": "PAPO's mask: cells of 14 pixels, each black with probability 0.6.",
            "steps": [["step": "patch_blackening", "patch": 14, "probability": 0.6]],
        ],
        [
            "name": "vppo-removing", "view": "removing",
            "summary": "VPPO's mask: cells of 14 pixels, each black with probability 0.5.",
            "steps": [["step": "patch_blackening", "patch": 14, "probability": 0.5]],
        ],
        [
            "name": "noisyrollout", "view": "rollout",
            "summary":
                "NoisyRollout's diffusion noise from step 500 on, less as the view's schedule goes on.",
            "steps": [["step": "diffusion_noise", "t": ["value": 500, "scheduled": true]]],
        ],
        [
            "name": "noisyrollout-450", "view": "rollout",
            "summary":
                "NoisyRollout's diffusion noise from step 450 on, less as the view's schedule goes on.",
            "steps": [["step": "diffusion_noise", "t": ["value": 450, "scheduled": true]]],
        ],
        [
            "name": "vision-matters-rotation", "view": "augmentation",
            "summary": "Vision-Matters' rotation by any angle on white, with room for the corners.",
            "steps": [
                [
                    "step": "rotation", "degrees": ["uniform": [-180, 180]], "interpolation": "bilinear",
                    "expand": true, "fill": 255,
                ]
            ],
        ],
        [
            "name": "vision-matters-mixup", "view": "augmentation",
            "summary": "Vision-Matters' mixture with a second picture that this one dominates.",
            "steps": [["step": "mixup", "weight": ["uniform": [0.7, 0.9]]]],
        ],
        [
            "name": "vision-matters-concat", "view": "augmentation",
            "summary": "Vision-Matters' second picture beside this one.",
            "steps": [["step": "concat"]],
        ],
    ]
}
