internal import Images
package import JSON

/// A named distribution of steps, as a readable tree of elements (see `RecipeElement` and `ValueDistribution`).
package struct Recipe: Sendable {
    package let name: String
    package let purpose: Purpose
    package let summary: String
    let content: RecipeElement

    /// What the recipe is for.
    package enum Purpose: String, Sendable, CaseIterable {
        /// Keeps the information in the picture.
        case preserving
        /// Removes it.
        case removing
        /// Makes a rollout's picture harder to see.
        case rollout
        /// Makes further training data; only these recipes may change the picture's size.
        case augmentation
    }
}

extension Recipe {
    /// Draws the steps for one picture. The same arguments give the same steps for ever and on every machine; see
    /// `RandomStream` for the generator and `RecipeElement` for what is drawn in which order.
    ///
    /// - Parameters:
    ///   - variant: 0, 1, 2 … for several views of one picture.
    ///   - always: rules out the draws that leave the picture as it is: elements that are applied only sometimes are
    ///     applied, and a step that changes no picture of this size is drawn again, up to a thousand times, then from
    ///     another element. Other draws stay the same. Each step is looked at by itself, not whether two undo each other.
    ///   - strength: 0 … 1, what scheduled values are multiplied by.
    ///   - seconds: the pictures to choose a second one from, without this one.
    /// - Returns: the steps in order; empty when the picture stays as it is.
    /// - Throws: for values that don't go together or don't fit the picture, and when a second picture is needed and
    ///   there is none. The recipes of the catalogue throw only for that, and for an expansion beyond 100 megapixels.
    package func draw(
        seed: Seed, key: ImageKey, variant: Int = 0, width: Int, height: Int, always: Bool = false,
        strength: Double = 1, seconds: [SecondPicture] = []
    ) throws(StepError) -> [any PerturbationStep] {
        var stream = RandomStream(seed: seed, recipe: name, key: key, variant: variant)
        var context = DrawContext(
            size: PixelSize(width: width, height: height), always: always, strength: strength,
            seconds: seconds)
        var steps: [any PerturbationStep] = []
        try content.draw(&stream, &context, onto: &steps)
        return steps
    }

    /// Whether some step reads a second picture that is drawn.
    package var readsDrawnSecond: Bool { content.distributions.contains { $0.readsDrawnSecond } }

    /// Whether a schedule's strength changes some value.
    package var isScheduled: Bool { content.distributions.contains { $0.isScheduled } }

    /// Whether every draw keeps the picture's size.
    package var keepsSize: Bool { content.distributions.allSatisfy { $0.keepsSize } }

    /// Pictures that parameters name as they stand in the recipe.
    package var namedPictures: [PictureReference] {
        content.distributions.flatMap { distribution in
            (distribution.values.distributions["image"]?.extremes ?? []).compactMap {
                if let id = $0.string { return .id(id) }
                return $0.integer.map { .index(Int($0)) }
            }
        }
    }

    /// About how many bytes the steps of one draw take, with their text in a reply.
    package var stepBytes: Int {
        content.distributions.reduce(0) { sum, distribution in
            let patches = distribution.values.distributions["count"]?.extremes.compactMap(\.double).max() ?? 1
            return sum + 1024 + 80 * Int(patches)
        }
    }

    /// Name, view, summary and the tree, for `GET /v1/recipes`; a recipe read from this is the same recipe.
    package var json: JSONValue {
        .object(
            [
                .init("name", .string(name)), .init("view", .string(view.rawValue)),
                .init("summary", .string(summary)),
            ] + content.members)
    }
}
