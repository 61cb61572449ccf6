package import JSON
import Suggestion

/// The closed list of steps.
package enum StepCatalogue {
    package static let all: [any PerturbationStep.Type] = [
        ColorJitter.self, Perspective.self, Rotation.self, GaussianBlur.self, Occlusion.self, ZoomCrop.self,
    ]

    /// The step that `{"step": name, …}` describes.
    package static func step(from json: JSONValue) throws(StepError) -> any PerturbationStep {
        guard json.members != nil else {
            throw .wrongShape(expected: "an object {\"step\": name, …}", found: json.kind)
        }
        guard let name = json["step"]?.string else { throw .missingName }
        guard let type = all.first(where: { $0.name == name }) else {
            throw .unknownStep(name: name, nearest: nearestName(to: name, among: all.map { $0.name }))
        }
        return try type.init(parameters: json)
    }

    /// Name, summary and parameters of every step, for `GET /v1/recipes`.
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
