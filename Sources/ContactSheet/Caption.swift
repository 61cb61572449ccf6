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

    /// The steps of one draw, one paragraph each: the step's name, then `parameter=value`; see ``shortText(_:)`` for how
    /// values are shortened. Words, flags and lists that have their default are left out where something else is told.
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
            let all = (step.json.members ?? []).filter { $0.name != "step" }
            let telling = all.filter { member in
                let standard = type(of: step).parameters.first { $0.name == member.name }?.standard
                return member.value.double != nil || member.value != standard
            }
            let words = (telling.isEmpty ? all : telling).map { "\($0.name)=\(shortText($0.value))" }
            return Paragraph(
                heading: (place == 0 ? "\(number) " : "") + step.name,
                words: words + (place == steps.count - 1 ? remarks : []))
        }
        self.init(paragraphs: paragraphs)
    }

    private init(paragraphs: [Paragraph]) { self.paragraphs = paragraphs }

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
        return all.prefix(limit - 1) + [
            Line(text: String(cut), headingCount: min(last.headingCount, cut.count))
        ]
    }
}
