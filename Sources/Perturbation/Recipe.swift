package import JSON

/// A named distribution of steps.
package struct Recipe: Sendable {
    package let name: String
    package let view: View
    package let summary: String

    /// What the recipe does to the information in the picture, and so which view it makes.
    package enum View: String, Sendable, CaseIterable {
        case preserving
        case removing
    }
}

extension Recipe {
    /// Draws the steps for one picture. The same arguments give the same steps for ever and on every machine.
    ///
    /// - Parameter variant: 0, 1, 2 … for several views of one picture.
    /// - Parameter always: rules out the draws in which a step leaves the picture as it is by chance (perspective
    ///   does so with probability ½); the list of steps is then never empty.
    /// - Returns: the steps in order; empty when the picture stays as it is.
    package func draw(
        seed: Seed, key: ImageKey, variant: Int = 0, width: Int, height: Int, always: Bool = false
    ) -> [any PerturbationStep] {
        []
    }

    /// Name, view, summary, and the distributions, for `GET /v1/recipes`.
    package var json: JSONValue {
        ["name": .string(name), "view": .string(view.rawValue), "summary": .string(summary)]
    }
}
