package import JSON

/// The closed list of steps.
package enum StepCatalogue {
    package static let all: [any PerturbationStep.Type] = []

    /// The step that `{"step": name, …}` describes.
    package static func step(from json: JSONValue) throws(StepError) -> any PerturbationStep {
        guard let name = json["step"]?.string else { throw .missingName }
        throw .unknownStep(name: name, nearest: nil)
    }

    /// Name, summary, and parameters of every step, for `GET /v1/recipes`.
    package static var json: JSONValue {
        .array(
            all.map { step in
                [
                    "step": .string(step.name), "summary": .string(step.summary),
                    "parameters": .array(step.parameters.map(\.json)),
                ]
            })
    }
}
