import ContrastiveLoss
import JSON
import Perturbation

/// The catalogue of presets and recipes, as JSON.
enum Catalogue {
    /// Every preset with every option resolved.
    static let presets: [UInt8] = {
        let presets = Preset.allCases.map { preset -> JSONValue in
            [
                "name": .string(preset.rawValue), "description": .string(preset.summary),
                "source": .string(preset.source),
                "options": ScoreOptions.table.echo(ScoreOptions(preset: preset)),
            ]
        }
        let reply: JSONValue = ["default": .string(Preset.standard.rawValue), "presets": .array(presets)]
        return reply.bytes
    }()

    /// Every recipe, and every step with its parameters.
    static let recipes: [UInt8] = {
        let reply: JSONValue = [
            "recipes": .array(RecipeCatalogue.all.map(\.json)), "steps": StepCatalogue.json,
        ]
        return reply.bytes
    }()
}
