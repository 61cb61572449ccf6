package import JSON

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

    package static func recipe(named name: String) -> Recipe? { all.first { $0.name == name } }

    /// The name a misspelt one was probably meant to be, or nil when none is near.
    package static func nearest(to name: String) -> String? { NearestName.of(name, among: all.map(\.name)) }

    /// Every recipe, for `GET /v1/recipes`.
    package static var json: JSONValue { .array(all.map(\.json)) }
}
