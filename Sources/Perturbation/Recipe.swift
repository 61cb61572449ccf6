internal import Images
package import JSON

/// A named distribution of steps: one of `choices`, each as likely as the others.
package struct Recipe: Sendable {
    package let name: String
    package let view: View
    package let summary: String
    let choices: [StepDistribution]

    /// What the recipe does to the information in the picture, and so which view it makes.
    package enum View: String, Sendable, CaseIterable {
        case preserving
        case removing
    }
}

extension Recipe {
    /// Draws the steps for one picture. The same arguments give the same steps for ever and on every machine; see
    /// `RandomStream` for the generator and `StepDistribution` for what is drawn in which order. The first word of the
    /// stream chooses the step.
    ///
    /// - Parameters:
    ///   - variant: 0, 1, 2 … for several views of one picture.
    ///   - always: rules out the draws that leave the picture as it is (perspective does so with probability ½); the
    ///     list is then never empty. The other draws stay the same.
    /// - Returns: the steps in order; empty when the picture stays as it is.
    package func draw(
        seed: Seed, key: ImageKey, variant: Int = 0, width: Int, height: Int, always: Bool = false
    ) -> [any PerturbationStep] {
        let size = PixelSize(width: width, height: height)
        let possible = choices.filter { $0.smallestSide <= min(width, height) }
        var stream = RandomStream(seed: seed, recipe: name, key: key, variant: variant)
        let choice = possible[stream.integer(in: 0...(possible.count - 1))]
        guard let step = choice.draw(&stream, size, always) else { return [] }
        return [step]
    }

    /// Name, view, summary, and the distributions, for `GET /v1/recipes`.
    package var json: JSONValue {
        [
            "name": .string(name), "view": .string(view.rawValue), "summary": .string(summary),
            "one_of": .array(choices.map(\.json)),
        ]
    }
}
