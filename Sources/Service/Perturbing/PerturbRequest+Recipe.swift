import JSON
import Perturbation

extension PerturbRequest {
    /// The members by which a view determines its steps.
    static let drawNames = ["recipe", "steps", "seed", "always", "schedule", "second_images"]

    /// Reads the name of a recipe of the catalogue, or a recipe written out.
    static func recipe(_ json: JSONValue, field: String, _ faults: inout Faults) -> Recipe? {
        if json.members != nil {
            do throws(RecipeError) {
                return try Recipe(json: json)
            } catch {
                let place = error.path
                faults.add(
                    .invalidStep,
                    Problem.Reason(error.error.message, field: place.isEmpty ? field : "\(field).\(place)"))
                return nil
            }
        }
        guard let word = json.string else {
            faults.add(
                .invalidType,
                Problem.Reason("wrong type", field: field, expected: "a recipe's name or an object"))
            return nil
        }
        guard let known = RecipeCatalogue.recipe(named: word) else {
            faults.add(
                .unknownRecipe,
                .unknown("recipe", word, known: RecipeCatalogue.all.map(\.name), field: field, found: word))
            return nil
        }
        return known
    }

    /// Reads the list of second pictures. A recipe that draws one requires it, and no other accepts it.
    static func secondPictures(
        _ json: JSONValue?, of recipe: Recipe, field: String, _ faults: inout Faults
    ) -> [PictureReference]? {
        guard let json else {
            guard !recipe.readsDrawnSecond else {
                faults.add(
                    .missingField,
                    Problem.Reason(
                        "this recipe draws a second image", field: field,
                        expected: "a list of ids or indexes of images of the request"))
                return nil
            }
            return []
        }
        guard recipe.readsDrawnSecond else {
            faults.add(.conflictingFields, Problem.Reason("this recipe draws no second image", field: field))
            return nil
        }
        let expected = "a list of 1 to \(maximumSeconds) ids or indexes of images of the request"
        guard let list = json.array, !list.isEmpty else {
            faults.add(.invalidType, Problem.Reason("wrong type", field: field, expected: expected))
            return nil
        }
        guard list.count <= maximumSeconds else {
            faults.add(
                .invalidValue,
                Problem.Reason("too long", field: field, expected: expected, found: "\(list.count)"))
            return nil
        }
        let references = list.map { value -> PictureReference? in
            if let id = value.string { return .id(id) }
            return value.integer.flatMap(Int.init(exactly:)).map { .index($0) }
        }
        for (index, reference) in references.enumerated() where reference == nil {
            faults.add(
                .invalidType,
                Problem.Reason("wrong type", field: "\(field)[\(index)]", expected: "an id or an index"))
        }
        return references.contains(nil) ? nil : references.compactMap { $0 }
    }

    /// Checks that every second picture named by steps and recipes is in the request.
    func checkSecondPictures(_ faults: inout Faults, prefix: (Int) -> String) {
        func check(_ reference: PictureReference, _ kind: Problem.Kind, _ field: String) {
            guard index(of: reference) == nil else { return }
            faults.add(
                kind,
                Problem.Reason(
                    "there is no such image in the request", field: field, found: reference.json.text))
        }
        for (number, view) in views.enumerated() {
            switch view.content {
            case .steps(let steps):
                for (place, step) in steps.enumerated() {
                    guard let pair = step as? any PairStep else { continue }
                    check(pair.image, .invalidStep, "\(prefix(number))steps[\(place)].image")
                }
            case .recipe(let drawn):
                for (place, reference) in drawn.seconds.enumerated() {
                    check(reference, .invalidValue, "\(prefix(number))second_images[\(place)]")
                }
                for reference in drawn.recipe.namedPictures {
                    check(reference, .invalidStep, "\(prefix(number))recipe")
                }
            }
        }
    }
}
