import Images
import JSON
import Perturbation

/// A request for a contact sheet, independent of its encoding.
struct PreviewRequest: Sendable {
    /// The pictures of the client. Built-in ones replace those that are missing.
    struct Pictures: Sendable {
        var image: [UInt8]?
        var second: [UInt8]?
    }

    let recipe: Recipe
    let options: PreviewOptions
    let pictures: Pictures
    /// The equivalent request to /v1/perturb: the picture, the second one, and a view for each draw, whose number is
    /// the variant.
    let drawing: PerturbRequest

    /// The members that determine the draws.
    static let drawNames = ["recipe", "seed", "always", "schedule"]

    /// - Parameters:
    ///   - name: the name in the path: a recipe of the catalogue, or the name of the recipe written out as `recipe`.
    ///   - asFields: whether the members come from a body.
    /// - Throws: `not-found` if there is no such recipe, otherwise every fault found.
    init(
        name: String, members: [JSONValue.Member], _ table: OptionTable<PreviewOptions>, asFields: Bool,
        pictures: Pictures, _ faults: inout Faults
    ) throws(Problem) {
        // Without this check, a recipe with invalid JSON would be reported as missing.
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
    /// Whether a step reads a second picture.
    var readsSecond: Bool { readsDrawnSecond || !namedPictures.isEmpty }
}

extension Faults {
    /// The problem with these faults. Traps if there are none.
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
    /// Returns the view at `step` of a linear schedule, with 1 − step / count of its strength.
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
