package import Images
package import JSON

/// A named distribution of steps, as a readable tree of elements (see `RecipeElement` and `ValueDistribution`).
package struct Recipe: Sendable {
    package let name: String
    package let purpose: Purpose
    package let summary: String
    let content: RecipeElement

    /// The purpose of the recipe; the member `view` in JSON.
    package enum Purpose: String, Sendable, CaseIterable {
        /// Keeps the information in the picture.
        case preserving
        /// Removes it.
        case removing
        /// Makes a rollout's picture harder to see.
        case rollout
        /// Makes further training data. Only these recipes may change the picture's size.
        case augmentation
    }
}

extension Recipe {
    /// Draws the steps for one picture. The same arguments always give the same steps, on every machine. See
    /// `RandomStream` for the generator and `RecipeElement` for the order of draws.
    ///
    /// - Parameters:
    ///   - variant: 0, 1, 2 … for several views of one picture.
    ///   - always: excludes draws that leave the picture unchanged. Elements that are applied only sometimes are
    ///     applied. A step that changes no picture of this size is drawn again, up to a thousand times, then replaced
    ///     by another element. Other draws stay the same. Each step is considered alone, even if two undo each other.
    ///   - strength: the factor of scheduled values, 0 … 1.
    ///   - seconds: the pictures from which to choose a second one, without this one.
    ///   - watch: checked after every attempt to draw a step.
    /// - Returns: the steps in order; empty if the picture stays unchanged.
    /// - Throws: `unwanted` if the watch ends the work; for values that conflict or do not fit the picture, and if a
    ///   second picture is needed but missing. The recipes of the catalogue throw only for the latter, and for an
    ///   expansion beyond 100 megapixels.
    package func draw(
        seed: Seed, key: ImageKey, variant: Int = 0, width: Int, height: Int, always: Bool = false,
        strength: Double = 1, seconds: [SecondPicture] = [], watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> [any PerturbationStep] {
        var stream = RandomStream(seed: seed, recipe: name, key: key, variant: variant)
        var context = DrawContext(
            size: PixelSize(width: width, height: height), always: always, strength: strength,
            seconds: seconds, watch: watch)
        var steps: [any PerturbationStep] = []
        try content.draw(&stream, &context, onto: &steps)
        return steps
    }

    /// Whether a step reads a second picture that is drawn.
    package var readsDrawnSecond: Bool { content.distributions.contains { $0.readsDrawnSecond } }

    /// Whether the strength of a schedule changes a value.
    package var isScheduled: Bool { content.distributions.contains { $0.isScheduled } }

    /// Whether every draw keeps the picture's size.
    package var keepsSize: Bool { content.distributions.allSatisfy { $0.keepsSize } }

    /// The pictures that the recipe names in parameters.
    package var namedPictures: [PictureReference] {
        content.distributions.flatMap { distribution in
            (distribution.values.distributions["image"]?.extremes ?? []).compactMap {
                if let id = $0.string { return .id(id) }
                return $0.integer.map { .index(Int($0)) }
            }
        }
    }

    /// The approximate bytes of the steps of one draw, with their text in a reply.
    package var stepBytes: Int { content.distributions.reduce(0) { $0 + $1.stepBytes } }

    /// Name, view, summary and the tree, for `GET /v1/recipes`. Reading it yields the same recipe.
    package var json: JSONValue {
        .object(
            [
                .init("name", .string(name)), .init("view", .string(purpose.rawValue)),
                .init("summary", .string(summary)),
            ] + content.members)
    }
}
