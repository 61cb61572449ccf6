import Images
import JSON
import Perturbation

/// A request for a contact sheet after its encoding is gone.
struct PreviewRequest: Sendable {
    /// What a client may bring; the built-in ones stand in for the rest.
    struct Pictures: Sendable {
        var image: [UInt8]?
        var second: [UInt8]?
    }

    let recipe: Recipe
    let options: PreviewOptions
    let pictures: Pictures
    /// As /v1/perturb would take it: the picture, the second one, and one view for each draw, which is the variant of the
    /// draw's number.
    let drawing: PerturbRequest

    /// What may be said about the draws.
    static let drawNames = ["recipe", "seed", "always", "schedule"]

    /// - Parameters:
    ///   - name: of the path: a recipe of the catalogue, or that of the one written out as `recipe`.
    ///   - asFields: whether the members are a body's.
    /// - Throws: `not-found` when there is no such recipe, otherwise every fault that was found.
    init(
        name: String, members: [JSONValue.Member], _ table: OptionTable<PreviewOptions>, asFields: Bool,
        pictures: Pictures, _ faults: inout Faults
    ) throws(Problem) {
        // A recipe that is no JSON would otherwise be one that is not there.
        try faults.check()
        let written = members.first { $0.name == "recipe" }?.value
        guard written != nil || RecipeCatalogue.recipe(named: name) != nil else {
            throw Problem(
                .notFound,
                .unknown("recipe", name, known: RecipeCatalogue.all.map(\.name), field: "path", found: name))
        }
        var options = PreviewOptions()
        table.apply(
            members.filter { !Self.drawNames.contains($0.name) }, alsoKnown: Self.drawNames,
            asFields: asFields, to: &options, &faults)
        guard let recipe = PerturbRequest.recipe(written ?? .string(name), field: "recipe", &faults) else {
            throw faults.problem
        }
        if recipe.name != name {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "the path names another recipe", field: "recipe.name", expected: name,
                    found: recipe.name))
        }
        var draw = members.filter { Self.drawNames.contains($0.name) && $0.name != "recipe" }
        draw.append(.init("recipe", recipe.json))
        if recipe.readsDrawnSecond { draw.append(.init("second_images", [1])) }
        if pictures.second != nil, !recipe.readsSecond {
            faults.add(
                .conflictingFields, Problem.Reason("this recipe reads no second image", field: "second_image")
            )
        }
        guard let view = PerturbRequest.RequestedView(name: "draw", members: draw, field: "", &faults) else {
            throw faults.problem
        }
        let isSpread = recipe.isScheduled && !draw.contains { $0.name == "schedule" }
        drawing = PerturbRequest(
            pictures: [
                .init(id: "0", source: .file(pictures.image ?? [])),
                .init(id: "1", source: .file(pictures.second ?? []), isSecondOnly: true),
            ],
            views: (0..<options.draws).map { isSpread ? view.weakened($0, of: options.draws) : view },
            settings: options.reading)
        drawing.checkSecondPictures(&faults) { _ in "" }
        try faults.check()
        self.recipe = recipe
        self.options = options
        self.pictures = pictures
    }
}

extension Recipe {
    /// Whether some step reads a second picture.
    var readsSecond: Bool { readsDrawnSecond || !namedPictures.isEmpty }
}

extension Faults {
    /// What was found, when something was.
    fileprivate var problem: Problem {
        do throws(Problem) {
            try check()
        } catch {
            return error
        }
        preconditionFailure("what cannot be read has a fault")
    }
}

extension PerturbRequest.RequestedView {
    /// The view as it is at `step` of a linear schedule: 1 − step / count of its strength.
    fileprivate func weakened(_ step: Int, of count: Int) -> PerturbRequest.RequestedView {
        guard case .recipe(let drawn) = content,
            let schedule = StrengthSchedule(.linear, step: step, totalSteps: count)
        else { return self }
        return PerturbRequest.RequestedView(
            name: name,
            content: .recipe(
                PerturbRequest.DrawnRecipe(
                    recipe: drawn.recipe, seed: drawn.seed, always: drawn.always,
                    strength: schedule.strength,
                    seconds: drawn.seconds)))
    }
}
