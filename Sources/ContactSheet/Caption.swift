package import Images
internal import JSON
package import Perturbation

/// The text below a picture or above all of them: paragraphs, each with a heading and words.
package struct Caption: Sendable, Equatable {
    struct Paragraph: Sendable, Equatable {
        let heading: String
        let words: [String]
    }

    /// A line, and the number of its characters that belong to the heading.
    struct Line: Sendable, Equatable {
        let text: String
        let headingCount: Int
    }

    let paragraphs: [Paragraph]

    package init(heading: String, words: [String]) {
        self.init(paragraphs: [Paragraph(heading: heading, words: words)])
    }

    /// Returns the steps of one draw as paragraphs: the step's name, then `parameter=value`. See ``shortText(_:)`` for
    /// the form of values. Words, flags and lists with their default value are omitted if other parameters are shown.
    ///
    /// - Parameters:
    ///   - number: the number of the draw, which comes first.
    ///   - strength: the strength of scheduled values, if any.
    ///   - size: the size of the result, if it differs from the picture's.
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

    /// Returns at most `limit` lines. A longer text ends in two dots.
    func lines(width: Int, atMost limit: Int) -> [Line] {
        let all = paragraphs.flatMap { paragraph -> [Line] in
            let lines = wrapped(
                paragraph.heading.split(separator: " ").map(String.init) + paragraph.words, width: width,
                atMost: limit)
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
