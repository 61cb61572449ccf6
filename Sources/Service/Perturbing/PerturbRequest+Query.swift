import HTTP
import JSON
import Perturbation

extension PerturbRequest {
    /// Reads the raw form: the body is one picture, and everything else is in the query.
    init(picture bytes: [UInt8], query: [QueryItem]) throws(Problem) {
        var faults = Faults()
        let drawNames = PerturbRequest.drawNames
        var settings = PerturbSettings()
        let members = PerturbRequest.members(of: query, PerturbSettings.table, &faults)
        let draw = members.filter { drawNames.contains($0.name) }
        let ours = members.filter { !drawNames.contains($0.name) }
        PerturbSettings.table.apply(ours, alsoKnown: drawNames, to: &settings, &faults)
        try faults.check()
        let view = RequestedView(name: "view", members: draw, field: "", &faults)
        try faults.check()
        self.init(
            pictures: [Picture(id: "0", source: .file(bytes))], views: view.map { [$0] } ?? [],
            settings: settings)
        checkSecondPictures(&faults) { _ in "" }
        try faults.check()
    }

    /// Returns the query parameters as options of the table or as members of a view. Members that are not scalars are
    /// JSON text: steps, such as the content of Perception-Steps, a recipe written out, or a schedule.
    static func members<Target>(
        of query: [QueryItem], _ table: OptionTable<Target>, _ faults: inout Faults
    ) -> [JSONValue.Member] {
        table.members(of: query, &faults).compactMap { member in
            guard let text = query.first(where: { $0.name == member.name })?.value,
                isJSONText(member.name, text)
            else { return member }
            do throws(JSONError) {
                return .init(member.name, try JSONValue(parsing: text))
            } catch {
                faults.add(
                    .malformedJSON,
                    Problem.Reason(
                        BlankForPlus.hint("\(error)", near: error.byte, in: text), field: member.name,
                        byte: error.byte))
                return nil
            }
        }
    }

    private static func isJSONText(_ name: String, _ text: String) -> Bool {
        switch name {
        case "steps", "schedule", "second_images": true
        case "recipe": text.hasPrefix("{")
        default: false
        }
    }
}
