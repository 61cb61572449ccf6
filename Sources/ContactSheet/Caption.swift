package import Images
internal import JSON
package import Perturbation

/// What stands under a picture or above all of them: paragraphs, each a heading and words.
package struct Caption: Sendable, Equatable {
    struct Paragraph: Sendable, Equatable {
        let heading: String
        let words: [String]
    }

    /// A line with how many of its characters are heading.
    struct Line: Sendable, Equatable {
        let text: String
        let headingCount: Int
    }

    let paragraphs: [Paragraph]

    package init(heading: String, words: [String]) {
        self.init(paragraphs: [Paragraph(heading: heading, words: words)])
    }

    /// The steps of one draw, one paragraph each: the step's name, then `parameter=value` for all parameters but those
    /// that have their default; see ``shortText(_:)`` for how values are shortened.
    ///
    /// - Parameters:
    ///   - number: of the draw, in front of it all.
    ///   - strength: of scheduled values, if there are any.
    ///   - size: of the result, when it isn't the picture's.
    package init(
        number: Int, steps: [any PerturbationStep], strength: Double? = nil, size: PixelSize? = nil
    ) {
        let remarks =
            (strength.map { ["strength=\(shortText(.number($0)))"] } ?? [])
            + (size.map { ["\($0.width)x\($0.height)"] } ?? [])
        guard !steps.isEmpty else {
            self.init(heading: "\(number) unchanged", words: remarks)
            return
        }
        let paragraphs = steps.enumerated().map { place, step in
            let known = type(of: step).parameters
            let words = (step.json.members ?? []).compactMap { member -> String? in
                guard member.name != "step" else { return nil }
                let standard = known.first { $0.name == member.name }?.standard
                guard standard == nil || !Self.isEqual(member.value, standard) else { return nil }
                return "\(member.name)=\(shortText(member.value))"
            }
            return Paragraph(
                heading: (place == 0 ? "\(number) " : "") + step.name,
                words: words + (place == steps.count - 1 ? remarks : []))
        }
        self.init(paragraphs: paragraphs)
    }

    private init(paragraphs: [Paragraph]) { self.paragraphs = paragraphs }

    /// 1 and 1.0 are the same number.
    private static func isEqual(_ value: JSONValue, _ standard: JSONValue?) -> Bool {
        if let number = value.double, let other = standard?.double { return number == other }
        return value == standard
    }

    /// At most `limit` lines; what doesn't fit ends in two dots.
    func lines(width: Int, atMost limit: Int) -> [Line] {
        let all = paragraphs.flatMap { paragraph -> [Line] in
            let lines = wrapped(
                paragraph.heading.split(separator: " ").map(String.init) + paragraph.words, width: width)
            var left = paragraph.heading.count
            return lines.map { text in
                let count = min(max(left, 0), text.count)
                left -= text.count + 1
                return Line(text: text, headingCount: count)
            }
        }
        guard all.count > limit, let last = all.prefix(limit).last else { return all }
        let cut = last.text.prefix(max(0, width - 2)) + ".."
        return all.prefix(limit - 1) + [Line(text: String(cut), headingCount: min(last.headingCount, cut.count))]
    }
}
