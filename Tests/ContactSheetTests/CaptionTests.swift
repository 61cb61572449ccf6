import Images
import JSON
import Perturbation
import Testing

@testable import ContactSheet

@Suite("Captions")
struct CaptionTests {
    @Test(
        "Values are shortened to what tells pictures apart",
        arguments: [
            (0.5, "0.5"), (1, "1"), (0.82314, "0.8231"), (-0.2, "-0.2"), (7.7431, "7.743"),
            (-12.345, "-12.35"),
            (160.44, "160.4"), (1234.5, "1235"), (0.00001, "0.0000.."), (-0.00001, "-0.0000.."), (255, "255"),
            (999_999, "999999"), (5_590_123_456_789_012_345, "5590.."), (-8_387_000, "-8387.."),
            (0.99999, "1"), (9.99999, "10"), (true, "true"), ("nearest", "nearest"), (nil, "null"),
            ([0, 0, 0], "0,0,0"), ([[0, 0], [335, 4]], "0,0;335,4"), ([1, 2, 3, 4, 5], "[5]"), ([], ""),
        ] as [(JSONValue?, String)])
    func short(_ value: JSONValue?, _ expected: String) {
        #expect(shortText(value ?? .null) == expected)
    }

    @Test("Lines are filled, and long words broken where a list has a gap")
    func wrapping() {
        #expect(wrapped(["a", "bc", "def"], width: 6) == ["a bc", "def"])
        #expect(wrapped(["a", "bc", "def"], width: 8) == ["a bc def"])
        #expect(wrapped(["order=contrast,brightness"], width: 16) == ["order=contrast,", "brightness"])
        #expect(wrapped(["p=0,0;335,0;9,9"], width: 11) == ["p=0,0;", "335,0;9,9"])
        #expect(wrapped(["abcdefgh"], width: 3) == ["abc", "def", "gh"])
        #expect(wrapped([], width: 3) == [])
    }

    @Test("A long word takes time in proportion to its length", .timeLimit(.minutes(1)))
    func longWord() {
        #expect(wrapped([String(repeating: "x", count: 2_000_000)], width: 40).count == 50_000)
    }

    @Test("No line is wider than there is room, and no character is lost", arguments: 1...40)
    func room(_ width: Int) {
        let words = ["perspective", "startpoints=0,0;335,0;335,251;0,251", "a", "gaussian_blur", "x=1"]
        let lines = wrapped(words, width: width)
        #expect(lines.allSatisfy { (1...width).contains($0.count) })
        #expect(lines.joined().filter { $0 != " " } == words.joined())
    }

    private func steps(_ text: String) throws -> [any PerturbationStep] {
        try #require(try JSONValue(parsing: text).array).map { json throws(StepError) in
            try StepCatalogue.step(from: json)
        }
    }

    @Test("A caption names every step with its parameters, one paragraph each")
    func paragraphs() throws {
        let steps = try steps(
            #"[{"step":"rotation","degrees":7.74312},{"step":"patch_blackening","patch":14,"mask_seed":8387000}]"#
        )
        let caption = Caption(number: 3, steps: steps, strength: 0.875, size: PixelSize(width: 4, height: 5))
        #expect(
            caption.lines(width: 80, atMost: 9).map(\.text) == [
                "3 rotation degrees=7.743",
                "patch_blackening patch=14 probability=0.6 mask_seed=8387.. strength=0.875 4x5",
            ])
        #expect(caption.lines(width: 80, atMost: 9).map(\.headingCount) == [10, 16])
    }

    @Test("Words and colors are told when they are not the default, or when there is nothing else")
    func defaults() throws {
        func text(_ json: String) throws -> String? {
            Caption(number: 0, steps: try steps(json)).lines(width: 99, atMost: 1).first?.text
        }
        #expect(
            try text(#"[{"step":"rotation","degrees":1,"expand":true,"fill":255}]"#)
                == "0 rotation degrees=1 expand=true fill=255,255,255")
        #expect(try text(#"[{"step":"fill"}]"#) == "0 fill color=128,128,128")
        #expect(try text(#"[{"step":"invert"}]"#) == "0 invert")
        #expect(try text("[]") == "0 unchanged")
    }

    @Test("Too much text is cut, and says so; a heading may go over several lines")
    func cut() throws {
        let caption = Caption(heading: "second image 1", words: ["abc", "def", "ghi"])
        #expect(caption.lines(width: 6, atMost: 9).map(\.text) == ["second", "image", "1 abc", "def", "ghi"])
        #expect(caption.lines(width: 6, atMost: 9).map(\.headingCount) == [6, 5, 1, 0, 0])
        #expect(caption.lines(width: 6, atMost: 3).map(\.text) == ["second", "image", "1 ab.."])
    }
}
