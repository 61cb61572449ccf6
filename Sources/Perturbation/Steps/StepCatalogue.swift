package import JSON
import Text

/// The closed list of steps.
package enum StepCatalogue {
    package static let all: [any PerturbationStep.Type] = [
        ColorJitter.self, Perspective.self, Rotation.self, GaussianBlur.self, Occlusion.self, ZoomCrop.self,
        Affine.self, HorizontalFlip.self, VerticalFlip.self, Posterize.self, Solarize.self, Invert.self,
        Grayscale.self, PatchBlackening.self, BlackSquareCover.self, DiffusionNoise.self, GaussianNoise.self,
        Fill.self, CropFill.self, PatchShuffle.self, Mixup.self, Concat.self,
    ]

    /// Returns the step that `{"step": name, …}` describes.
    package static func step(from json: JSONValue) throws(StepError) -> any PerturbationStep {
        guard json.members != nil else {
            throw .wrongShape(expected: "an object {\"step\": name, …}", found: json.kind)
        }
        guard let name = json["step"]?.string else { throw .missingName }
        return try type(named: name).init(parameters: json)
    }

    static func type(named name: String) throws(StepError) -> any PerturbationStep.Type {
        guard let type = all.first(where: { $0.name == name }) else {
            throw .unknownStep(name: name, nearest: nearestName(to: name, among: all.map { $0.name }))
        }
        return type
    }

    /// Name, summary, parameters, identity and change of size of every step, for `GET /v1/recipes`.
    package static var json: JSONValue {
        .array(
            all.map { step in
                [
                    "step": .string(step.name), "summary": .string(step.summary),
                    "parameters": .array(step.parameters.map(\.json)),
                    "identity": step.identity.map { .string($0) } ?? .null,
                    "changes_size": step.changesSize.map { .string($0) } ?? .null,
                ]
            })
    }
}
