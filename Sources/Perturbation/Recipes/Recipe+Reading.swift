package import JSON

extension Recipe {
    /// The name of a recipe without one. Draws depend on it.
    package static let standardName = "custom"

    /// Reads `{"name"?, "view"?, "summary"?, "one_of" | "steps": […]}`. Unknown, mistyped or out-of-range members are
    /// refused with their path. Steps that change the picture's size are refused unless the recipe has `view:
    /// augmentation`.
    package init(json: JSONValue) throws(RecipeError) {
        func refusal(_ path: String, _ expected: String, _ found: String) -> RecipeError {
            RecipeError(place: path, error: .wrongShape(expected: expected, found: found))
        }
        guard let members = json.members else { throw refusal("", "a recipe's name or an object", json.kind) }
        var seen: Set<String> = []
        for member in members where !seen.insert(member.name).inserted {
            throw RecipeError(
                place: "", error: .repeatedParameter(step: "the recipe", path: member.name))
        }
        name = json["name"]?.string ?? Self.standardName
        guard json["name"] == nil || json["name"]?.string != nil, Self.isName(name) else {
            throw refusal("name", "1 to 64 of A–Z a–z 0–9 _ -", json["name"]?.kind ?? "")
        }
        guard json["summary"] == nil || json["summary"]?.string != nil else {
            throw refusal("summary", "a string", json["summary"]?.kind ?? "")
        }
        summary = json["summary"]?.string ?? ""
        var purpose = Purpose.preserving
        if let value = json["view"] {
            guard let known = value.string.flatMap(Purpose.init) else {
                let words = Purpose.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
                throw refusal("view", words, value.kind)
            }
            purpose = known
        }
        self.purpose = purpose
        var left = RecipeElement.mostElements
        content = try RecipeElement(
            members.filter { !["name", "view", "summary"].contains($0.name) }, place: "", depth: 0,
            left: &left)
        guard purpose == .augmentation || keepsSize else {
            let step = content.distributions.first { !$0.keepsSize }?.form.step.name ?? ""
            throw RecipeError(
                place: "",
                error: .inconsistent(
                    step: step, path: "view",
                    detail: "changes the picture's size, which only a recipe with view \"augmentation\" may"))
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
