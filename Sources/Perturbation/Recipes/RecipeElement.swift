internal import Images
internal import JSON

/// An element of a recipe: a step to draw, one of several elements, or several elements in sequence.
struct RecipeElement: Sendable {
    indirect enum Content: Sendable {
        case step(StepDistribution)
        /// One of these elements, with equal probability.
        case oneOf([RecipeElement])
        case steps([RecipeElement])
    }

    let content: Content
    /// The probability of being applied, in ten-thousandths.
    let applied: Int

    /// Appends the drawn steps to `steps`. Takes words of the stream in this order:
    ///
    /// 1. none if no step inside can change a picture of this size;
    /// 2. with `applied` p < 1, an integer k in 0 … 9999. If k < 10,000 (1 − p), drawing ends here unless `always` is
    ///    set;
    /// 3. for `one_of`, an integer that chooses among the elements that can change the picture, then the words of that
    ///    element; for `steps`, the words of each element in turn; for a step, the words of its parameters.
    ///
    /// With `always`, a step that changes no picture of this size is drawn again, up to a thousand times in all. If
    /// that fails, its element of a `one_of` is excluded and another one is chosen.
    func draw(
        _ stream: inout RandomStream, _ context: inout DrawContext, onto steps: inout [any PerturbationStep]
    ) throws(StepError) {
        guard isPossible(context.size) else { return }
        if applied < 10_000 {
            let place = stream.integer(in: 0...9999)
            guard place >= 10_000 - applied || context.always else { return }
        }
        switch content {
        case .step(let distribution):
            let step = try distribution.draw(&stream, context)
            if context.always, !step.leavesUnchanged(context.size) { context.hasChange = true }
            let seconds = context.seconds
            context.size = try step.outputSize(for: context.size) { reference in
                seconds.first { .id($0.id) == reference }?.size
            }
            steps.append(step)
        case .oneOf(let elements):
            let size = context.size
            try drawOne(of: elements.filter { $0.isPossible(size) }, &stream, &context, onto: &steps)
        case .steps(let elements):
            for element in elements { try element.draw(&stream, &context, onto: &steps) }
        }
    }

    private func drawOne(
        of elements: [RecipeElement], _ stream: inout RandomStream, _ context: inout DrawContext,
        onto steps: inout [any PerturbationStep]
    ) throws(StepError) {
        var left = elements
        while true {
            let place = stream.integer(in: 0...(left.count - 1))
            var (drawn, after): ([any PerturbationStep], DrawContext) = ([], context)
            after.hasChange = false
            try left[place].draw(&stream, &after, onto: &drawn)
            guard context.always, !after.hasChange, left.count > 1 else {
                steps += drawn
                after.hasChange = after.hasChange || context.hasChange
                context = after
                return
            }
            left.remove(at: place)
        }
    }

    private func isPossible(_ size: PixelSize) -> Bool {
        switch content {
        case .step(let distribution): distribution.isPossible(size)
        case .oneOf(let elements), .steps(let elements): elements.contains { $0.isPossible(size) }
        }
    }

    /// Every step inside.
    var distributions: [StepDistribution] {
        switch content {
        case .step(let distribution): [distribution]
        case .oneOf(let elements), .steps(let elements): elements.flatMap(\.distributions)
        }
    }

    var members: [JSONValue.Member] {
        let applied: [JSONValue.Member] =
            applied == 10_000 ? [] : [.init("applied", .number(Double(applied) / 10_000))]
        switch content {
        case .step(let distribution): return distribution.json + applied
        case .oneOf(let elements):
            return [.init("one_of", .array(elements.map { .object($0.members) }))] + applied
        case .steps(let elements):
            return [.init("steps", .array(elements.map { .object($0.members) }))] + applied
        }
    }
}
