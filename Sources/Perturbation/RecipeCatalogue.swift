/// The closed list of recipes.
package enum RecipeCatalogue {
    package static let all: [Recipe] = []

    /// The recipe of this name, or nil; `nearest(to:)` then has a suggestion.
    package static func recipe(named name: String) -> Recipe? { all.first { $0.name == name } }

    /// The name a misspelt one was probably meant to be, or nil when none is near.
    package static func nearest(to name: String) -> String? { nil }
}
