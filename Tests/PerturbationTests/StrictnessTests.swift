import Images
import JSON
import Testing

@testable import Perturbation

@Suite("Step descriptions are read strictly")
struct StrictnessTests {
    static let wrong: [(text: String, error: StepError)] = [
        ("[]", .wrongShape(expected: "an object {\"step\": name, …}", found: "an array")),
        ("{}", .missingName),
        (#"{"step": 7}"#, .missingName),
        (#"{"step": "rotate"}"#, .unknownStep(name: "rotate", nearest: nil)),
        (#"{"step": "rotatoin", "degrees": 1}"#, .unknownStep(name: "rotatoin", nearest: "rotation")),
        (
            #"{"step": "rotation", "degree": 7}"#,
            .unknownParameter(step: "rotation", path: "degree", nearest: "degrees")
        ),
        (
            #"{"step": "rotation", "degrees": 7, "colour": 3}"#,
            .unknownParameter(step: "rotation", path: "colour", nearest: nil)
        ),
        (
            #"{"step": "rotation"}"#,
            .missingParameter(step: "rotation", path: "degrees", expected: "a number -360 … 360")
        ),
        (
            #"{"step": "rotation", "degrees": "7"}"#,
            .wrongType(step: "rotation", path: "degrees", expected: "a number", found: "\"7\"")
        ),
        (
            #"{"step": "rotation", "degrees": 361}"#,
            .outOfRange(step: "rotation", path: "degrees", expected: "-360 … 360", found: "361.0")
        ),
        (
            #"{"step": "rotation", "degrees": 7, "interpolation": "bicubic"}"#,
            .outOfRange(
                step: "rotation", path: "interpolation", expected: "\"nearest\" or \"bilinear\"",
                found: "\"bicubic\"")
        ),
        (
            #"{"step": "rotation", "degrees": 7, "expand": 1}"#,
            .wrongType(step: "rotation", path: "expand", expected: "true or false", found: "1")
        ),
        (
            #"{"step": "rotation", "degrees": 7, "fill": [1, 2, 256]}"#,
            .outOfRange(step: "rotation", path: "fill[2]", expected: "0 … 255", found: "256")
        ),
        (
            #"{"step": "rotation", "degrees": 7, "fill": [1, 2]}"#,
            .outOfRange(
                step: "rotation", path: "fill", expected: "0 … 255 or [red, green, blue]", found: "2 elements"
            )
        ),
        (
            #"{"step": "color_jitter"}"#,
            .missingParameter(
                step: "color_jitter", path: "brightness",
                expected: "at least one of brightness, contrast, saturation, hue")
        ),
        (
            #"{"step": "color_jitter", "contrast": -0.1}"#,
            .outOfRange(step: "color_jitter", path: "contrast", expected: "0 … 100", found: "-0.1")
        ),
        (
            #"{"step": "color_jitter", "contrast": 1, "order": ["contrast", "contrast", "saturation"]}"#,
            .inconsistent(
                step: "color_jitter", path: "order",
                detail: "must name brightness, contrast and saturation, each once")
        ),
        (
            #"{"step": "gaussian_blur", "kernel_size": 4}"#,
            .outOfRange(step: "gaussian_blur", path: "kernel_size", expected: "1 … 99, odd", found: "4")
        ),
        (
            #"{"step": "gaussian_blur", "kernel_size": 3.5}"#,
            .wrongType(
                step: "gaussian_blur", path: "kernel_size", expected: "an integer 1 … 99", found: "3.5")
        ),
        (
            #"{"step": "gaussian_blur", "sigma": 0}"#,
            .outOfRange(step: "gaussian_blur", path: "sigma", expected: "0.01 … 100", found: "0.0")
        ),
        (
            #"{"step": "occlusion", "patches": []}"#,
            .missingParameter(
                step: "occlusion", path: "noise_seed", expected: "an integer 0 … 9223372036854775807")
        ),
        (
            #"{"step": "occlusion", "patches": [[0, 0, 1, 1], [0, 0, 0, 1]], "noise_seed": 1}"#,
            .outOfRange(step: "occlusion", path: "patches[1][2]", expected: "1 … 2147483647", found: "0")
        ),
        (
            #"{"step": "occlusion", "patches": [[0, 0, 1]], "noise_seed": 1}"#,
            .outOfRange(
                step: "occlusion", path: "patches[0]", expected: "a patch [x, y, width, height]",
                found: "3 elements")
        ),
        (
            #"{"step": "occlusion", "patches": [], "noise_seed": -1}"#,
            .outOfRange(
                step: "occlusion", path: "noise_seed", expected: "0 … 9223372036854775807", found: "-1")
        ),
        (
            #"{"step": "perspective", "startpoints": [[0,0],[1,1],[2,2],[0,2]], "endpoints": [[0,0],[1,0],[1,1],[0,1]]}"#,
            .inconsistent(
                step: "perspective", path: "startpoints", detail: "three of the points lie on one line")
        ),
        (
            #"{"step": "perspective", "startpoints": [[0,0],[1,0],[1,1]], "endpoints": []}"#,
            .outOfRange(
                step: "perspective", path: "startpoints", expected: "four points [x, y]", found: "3 elements")
        ),
        (
            #"{"step": "zoom_crop", "left": 0, "top": 0, "width": 0, "height": 1}"#,
            .outOfRange(step: "zoom_crop", path: "width", expected: "1 … 2147483647", found: "0")
        ),
    ]

    @Test("What is wrong is named with its place", arguments: wrong)
    func refused(_ text: String, _ error: StepError) throws {
        let json = try JSONValue(parsing: text)
        #expect(throws: error) { try StepCatalogue.step(from: json) }
        #expect(!error.message.isEmpty)
    }

    @Test("Numbers that are not finite, and members given twice, are refused even where no parser did")
    func beyondParsers() {
        let rotation = JSONValue.object([.init("step", "rotation"), .init("degrees", .number(.nan))])
        #expect(throws: StepError.nonFinite(step: "rotation", path: "degrees")) {
            try StepCatalogue.step(from: rotation)
        }
        let blur = JSONValue.object([
            .init("step", "gaussian_blur"), .init("kernel_size", .number(.infinity)),
        ])
        #expect(throws: StepError.nonFinite(step: "gaussian_blur", path: "kernel_size")) {
            try StepCatalogue.step(from: blur)
        }
        let twice = JSONValue.object([
            .init("step", "rotation"), .init("degrees", 1.0), .init("degrees", 2.0),
        ])
        #expect(throws: StepError.repeatedParameter(step: "rotation", path: "degrees")) {
            try StepCatalogue.step(from: twice)
        }
    }

    static let misfits: [(text: String, width: Int, height: Int, path: String)] = [
        (#"{"step": "occlusion", "patches": [[0,0,2,2],[4,0,2,2]], "noise_seed": 0}"#, 5, 5, "patches[1]"),
        (
            #"{"step": "occlusion", "patches": [[2147483647,0,2147483647,1]], "noise_seed": 0}"#, 5, 5,
            "patches[0]"
        ),
        (#"{"step": "zoom_crop", "left": 3, "top": 0, "width": 3, "height": 5}"#, 5, 5, "width"),
        (#"{"step": "zoom_crop", "left": 0, "top": 1, "width": 5, "height": 5}"#, 5, 5, "height"),
        (#"{"step": "gaussian_blur", "kernel_size": 9, "padding": "reflect"}"#, 5, 4, "kernel_size"),
    ]

    @Test("A step that doesn't fit a picture says so before it is applied", arguments: misfits)
    func misfit(_ text: String, _ width: Int, _ height: Int, _ path: String) throws {
        let step = try StepCatalogue.step(from: JSONValue(parsing: text))
        let image = PixelImage(
            width: width, height: height, samples: [UInt8](repeating: 0, count: width * height * 3))
        let planned = #expect(throws: StepError.self) { try step.outputSize(for: image.size) }
        let applied = #expect(throws: StepError.self) { try step.apply(to: image) }
        #expect(planned == applied)
        #expect(planned?.path == path)
        guard case .doesNotFit = planned else {
            Issue.record("\(planned?.message ?? "none")")
            return
        }
    }

    @Test("Patches that would paint a picture over and over are refused")
    func overpainting() throws {
        let patches = JSONValue.array(Array(repeating: [0, 0, 4, 4], count: 66))
        let step = try StepCatalogue.step(from: ["step": "occlusion", "patches": patches, "noise_seed": 1])
        #expect(throws: StepError.self) { try step.outputSize(for: PixelSize(width: 4, height: 4)) }
        #expect(throws: Never.self) { try step.outputSize(for: PixelSize(width: 8, height: 8)) }
    }

    @Test("A long strip is not turned into its length squared")
    func strip() throws {
        let step = try StepCatalogue.step(from: ["step": "rotation", "degrees": 45, "expand": true])
        let error = #expect(throws: StepError.self) {
            try step.outputSize(for: PixelSize(width: 1_000_000, height: 50))
        }
        #expect(error?.path == "expand")
        #expect(throws: Never.self) { try step.outputSize(for: PixelSize(width: 7000, height: 7000)) }
    }

    @Test("What is left out has the default that the list of steps states")
    func defaults() throws {
        let step = try StepCatalogue.step(from: JSONValue(parsing: #"{"step": "rotation", "degrees": 7}"#))
        let written = JSONValue.object([
            .init("step", "rotation"), .init("degrees", 7.0), .init("interpolation", "nearest"),
            .init("expand", false), .init("fill", [0, 0, 0]),
        ])
        #expect(step.json == written)
        for type in StepCatalogue.all {
            let names = type.parameters.map(\.name)
            #expect(Set(names).count == names.count)
        }
    }

    @Test(
        "Every default is a value that its step takes, and is written out as it is listed",
        arguments: StepCase.all)
    func listedDefaults(it: StepCase) throws {
        let type = type(of: try StepCatalogue.step(from: it.step))
        let listed = type.parameters.filter { $0.standard != nil && $0.standard != .null }
        let members = try #require(it.step.members)
        // A step that asks for one of several parameters must get one.
        let kept = type == ColorJitter.self ? ["brightness"] : []
        let left = members.filter { member in
            kept.contains(member.name) || !listed.contains { $0.name == member.name }
        }
        let written = try StepCatalogue.step(from: .object(left)).json
        for parameter in listed where !kept.contains(parameter.name) && parameter.name != "order" {
            #expect(written[parameter.name] == parameter.standard, "\(type.name).\(parameter.name)")
        }
    }

    @Test("Beyond the range that the list of steps states, a value is refused with that range")
    func statedRanges() throws {
        for type in StepCatalogue.all {
            let step = try #require(StepCase.all.first { $0.step["step"]?.string == type.name }).step
            for parameter in type.parameters {
                guard let (beyond, range) = Self.beyond(parameter.domain) else { continue }
                var members = try #require(step.members).filter { $0.name != parameter.name }
                members.append(.init(parameter.name, beyond))
                let error = #expect(throws: StepError.self) {
                    try StepCatalogue.step(from: .object(members))
                }
                guard case .outOfRange(type.name, parameter.name, range, _) = error else {
                    Issue.record("\(type.name).\(parameter.name): \(error.debugDescription)")
                    continue
                }
            }
        }
    }

    /// A value above the domain, and the domain in words.
    private static func beyond(_ domain: StepDomain) -> (JSONValue, String)? {
        switch domain {
        case .number(let range), .numberOrNull(let range): (.number(range.upperBound.nextUp), domain.range)
        case .integer(let range): (.integer(range.upperBound + 1), domain.range)
        default: nil
        }
    }

    @Test("A step's JSON lists exactly its parameters, in order")
    func listed() throws {
        for it in StepCase.all {
            let step = try StepCatalogue.step(from: it.step)
            let names = step.json.members?.map(\.name)
            // A hue that isn't there is no member either.
            let listed = type(of: step).parameters.map(\.name).filter { $0 != "hue" || it.step["hue"] != nil }
            #expect(names == ["step"] + listed)
        }
    }
}
