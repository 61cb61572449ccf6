/// The closed list of recipes. Ranges are those of the CPPO reference code.
package enum RecipeCatalogue {
    package static let all: [Recipe] = [
        Recipe(
            name: "cppo-preserving", view: .preserving,
            summary: "One of color jitter, perspective and rotation, uniformly: the reference's verl recipe.",
            choices: [.colorJitter, .perspective, .rotation]),
        Recipe(
            name: "cppo-preserving-areal", view: .preserving,
            summary: "The same three and a slight blur, uniformly: the reference's AReaL recipe.",
            choices: [.colorJitter, .perspective, .rotation, .gaussianBlur]),
        Recipe(
            name: "cppo-removing", view: .removing,
            summary: "Either fifty patches of noise or a crop of under half the picture, enlarged.",
            choices: [.occlusion, .zoomCrop]),
    ]

    /// The recipe of this name, or nil.
    package static func recipe(named name: String) -> Recipe? { all.first { $0.name == name } }
}
