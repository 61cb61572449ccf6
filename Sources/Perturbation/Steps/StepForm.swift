internal import Images
internal import JSON

/// The form in which a recipe describes and draws a step.
///
/// Most steps are described by their own parameters. Steps that place something in the picture are described by
/// fractions of its sides unless one of their own parameters is given.
struct StepForm: Sendable {
    struct Parameter: Sendable {
        let name: String
        /// Nil if the parameter is required or has the step's own default.
        let standard: ValueDistribution?
        /// The domain of every drawn value, if the step does not check it itself.
        var range: ClosedRange<Double>?
        /// Whether every drawn value is an integer.
        var isWhole = false
    }

    let step: any PerturbationStep.Type
    /// The parameters in the order of drawing.
    let parameters: [Parameter]
    /// Draws the JSON of the step. Takes words in the order of `parameters` unless stated otherwise.
    let draw: @Sendable (Values, inout RandomStream, DrawContext) throws(StepError) -> any PerturbationStep
    /// Whether the step can change a picture of this size.
    var isPossible: @Sendable (Values, PixelSize) -> Bool = { _, _ in true }

    /// The distributions of a form's parameters, including omitted ones.
    struct Values: Sendable {
        let distributions: [String: ValueDistribution]

        func draw(_ name: String, _ stream: inout RandomStream, _ context: DrawContext) -> JSONValue? {
            distributions[name]?.draw(&stream, strength: context.strength)
        }

        /// A fraction of a side, in ten-thousandths.
        func share(_ name: String, _ stream: inout RandomStream, _ context: DrawContext) -> Int {
            Int(((draw(name, &stream, context)?.double ?? 0) * 10_000).rounded())
        }
    }

    /// Returns the form for a description with these members.
    static func form(of step: any PerturbationStep.Type, given names: [String]) -> StepForm {
        let own = step.parameters.map(\.name)
        guard let placed = placing.first(where: { $0.step == step }),
            !names.contains(where: { name in
                own.contains(name) && !placed.parameters.contains { $0.name == name }
            })
        else { return plain(step) }
        return placed
    }

    static let placing: [StepForm] = [.perspective, .occlusion, .zoomCrop, .cropFill]

    /// Draws every parameter by itself. Omitted seeds and an omitted second picture are drawn, too.
    private static func plain(_ step: any PerturbationStep.Type) -> StepForm {
        StepForm(
            step: step,
            parameters: step.parameters.map {
                Parameter(name: $0.name, standard: $0.domain == .seed ? .seeds : nil)
            }
        ) { values, stream, context throws(StepError) in
            var members: [JSONValue.Member] = [.init("step", .string(step.name))]
            for parameter in step.parameters {
                if let value = values.draw(parameter.name, &stream, context) {
                    members.append(.init(parameter.name, value))
                } else if parameter.domain == .picture {
                    members.append(.init(parameter.name, .string(try second(for: step, &stream, context))))
                }
            }
            return try step.init(parameters: .object(members))
        }
    }

    private static func second(
        for step: any PerturbationStep.Type, _ stream: inout RandomStream, _ context: DrawContext
    ) throws(StepError) -> String {
        guard !context.seconds.isEmpty else {
            throw .doesNotFit(
                step: step.name, path: "image", detail: "there is no second picture besides this one")
        }
        return context.seconds[stream.integer(in: 0...(context.seconds.count - 1))].id
    }
}
