internal import JSON

/// The reason why a recipe is refused: the path of the element, such as `one_of[1]`, and its error.
package struct RecipeError: Error, Sendable, Equatable {
    /// Empty for the recipe as a whole.
    package let place: String
    package let error: StepError

    /// The path in the recipe, such as `one_of[1].degrees`.
    package var path: String {
        [place, error.path ?? ""].filter { !$0.isEmpty }.joined(separator: ".")
    }
}

extension RecipeElement {
    /// Limits on nesting and on the number of elements, which bound the work of reading and drawing.
    static let deepest = 4
    static let mostElements = 64

    /// Reads `{"step": …}`, `{"one_of": […]}` or `{"steps": […]}`, each optionally with `applied`.
    ///
    /// - Parameters:
    ///   - place: the path of the element in the recipe.
    ///   - left: the number of further elements that the recipe may have.
    init(_ json: JSONValue, place: String, depth: Int, left: inout Int) throws(RecipeError) {
        guard let members = json.members else {
            throw RecipeError(
                place: place,
                error: .wrongShape(
                    expected: "an object with one of step, one_of and steps", found: json.kind))
        }
        try self.init(members, place: place, depth: depth, left: &left)
    }

    init(
        _ members: [JSONValue.Member], place: String, depth: Int, left: inout Int
    ) throws(RecipeError) {
        func refusal(_ expected: String, _ found: String) -> RecipeError {
            RecipeError(place: place, error: .wrongShape(expected: expected, found: found))
        }
        left -= 1
        guard left >= 0 else { throw refusal("at most \(Self.mostElements) elements", "more") }
        guard depth <= Self.deepest else {
            throw refusal("at most \(Self.deepest) levels of elements", "more")
        }
        applied = try Self.applied(members, place: place)
        let kinds = members.map(\.name).filter { ["step", "one_of", "steps"].contains($0) }
        guard kinds.count == 1, let kind = kinds.first else {
            throw refusal(
                "an object with one of step, one_of and steps",
                kinds.isEmpty ? "none of them" : kinds.joined(separator: " and "))
        }
        guard kind != "step" else {
            do throws(StepError) {
                content = .step(try StepDistribution(members: members.filter { $0.name != "applied" }))
            } catch {
                throw RecipeError(place: place, error: error)
            }
            return
        }
        for member in members where member.name != kind && member.name != "applied" {
            throw RecipeError(
                place: place,
                error: .unknown(member.name, in: kind, known: ["step", "one_of", "steps", "applied"]))
        }
        let inner = place.isEmpty ? kind : "\(place).\(kind)"
        guard let list = members.first(where: { $0.name == kind })?.value.array, !list.isEmpty else {
            throw RecipeError(
                place: inner, error: .wrongShape(expected: "a list of at least one element", found: "none"))
        }
        var elements: [RecipeElement] = []
        for (index, element) in list.enumerated() {
            elements.append(
                try RecipeElement(element, place: "\(inner)[\(index)]", depth: depth + 1, left: &left))
        }
        content = kind == "one_of" ? .oneOf(elements) : .steps(elements)
    }

    private static func applied(_ members: [JSONValue.Member], place: String) throws(RecipeError) -> Int {
        guard let value = members.first(where: { $0.name == "applied" })?.value else { return 10_000 }
        let path = place.isEmpty ? "applied" : "\(place).applied"
        guard let number = value.double, (0...1).contains(number),
            (number * 10_000).rounded() / 10_000 == number
        else {
            throw RecipeError(
                place: path,
                error: .wrongShape(
                    expected: "a probability 0 … 1 of at most four decimals", found: value.kind))
        }
        return Int((number * 10_000).rounded())
    }
}
