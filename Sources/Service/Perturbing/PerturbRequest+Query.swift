import HTTP
import JSON
import Perturbation

extension PerturbRequest {
    /// The raw form: the body is one picture, everything else is in the query.
    init(picture bytes: [UInt8], query: [QueryItem]) throws(Problem) {
        var faults = Faults()
        let members = PerturbSettings.table.members(of: query, &faults)
        let drawNames = PerturbRequest.drawNames
        var settings = PerturbSettings()
        var draw: [JSONValue.Member] = []
        var ours: [JSONValue.Member] = []
        for member in members {
            if !drawNames.contains(member.name) {
                ours.append(member)
            } else if let text = query.first(where: { $0.name == member.name })?.value,
                PerturbRequest.isJSONText(member.name, text)
            {
                do throws(JSONError) {
                    draw.append(.init(member.name, try JSONValue(parsing: text)))
                } catch {
                    faults.add(
                        .malformedJSON, Problem.Reason("\(error)", field: member.name, byte: error.byte))
                }
            } else {
                draw.append(member)
            }
        }
        PerturbSettings.table.apply(ours, alsoKnown: drawNames, to: &settings, &faults)
        try faults.check()
        let view = View(name: "view", members: draw, field: "", &faults)
        try faults.check()
        self.init(
            pictures: [Picture(id: "0", bytes: bytes)], views: view.map { [$0] } ?? [], settings: settings)
        checkSecondPictures(&faults) { _ in "" }
        try faults.check()
    }

    /// Steps are JSON text, for instance what Perception-Steps held; so are a recipe that is written out, and lists.
    private static func isJSONText(_ name: String, _ text: String) -> Bool {
        switch name {
        case "steps", "schedule", "second_images": true
        case "recipe": text.hasPrefix("{")
        default: false
        }
    }
}
