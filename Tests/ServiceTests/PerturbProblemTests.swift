import HTTP
import HTTPTypes
import Images
import JSON
import Service
import Testing

/// Every way for a request for pictures to be wrong, attacks included.
@Suite struct PerturbProblemTests {
    private let service = TestService()

    @Test(arguments: wrongBodies) func `a wrong request is refused with its kind and place`(
        kind: Problem.Kind, field: String?, body: String
    ) throws {
        try service.post(text: body, to: "/v1/perturb").expectProblem(kind, field: field)
    }

    @Test(arguments: [
        (Problem.Kind.missingField, "recipe", ""),
        (.conflictingFields, "recipe", "?recipe=cppo-removing&steps=[]"),
        (.unknownRecipe, "recipe", "?recipe=cppo"), (.invalidOption, "seed", "?recipe=cppo-removing&seed=-1"),
        (.invalidType, "seed", "?recipe=cppo-removing&seed=x"), (.malformedJSON, "steps", "?steps=[{]"),
        (.invalidStep, "steps", "?steps=7"), (.unknownOption, "vraiants", "?steps=[]&vraiants=2"),
        (.malformedRequest, "seed", "?recipe=cppo-removing&seed=1&seed=2"),
        (.conflictingFields, "variants", "?steps=[]&variants=2"),
        (.invalidOption, "level", "?steps=[]&level=10"),
        (.conflictingFields, "seed", "?steps=[]&seed=0"),
        (.conflictingFields, "always", "?steps=[]&always=false"),
        (.conflictingFields, "schedule", "?steps=[]&schedule={}"),
        (
            .invalidStep, "steps[0].width",
            #"?steps=[{"step":"zoom_crop","left":0,"top":0,"width":90,"height":1}]"#
        ),
        (
            .invalidStep, "recipe.expand",
            "?recipe={\"view\":\"augmentation\",\"step\":\"rotation\",\"expand\":\"x\",\"degrees\":1}"
        ),
    ]) func `a wrong query of the raw form is refused with its kind and place`(
        kind: Problem.Kind, field: String, query: String
    ) throws {
        let response = try service.send(
            "POST", "/v1/perturb\(query)", pngFile(), headers: [("Content-Type", "image/png")])
        try response.expectProblem(kind, field: field)
    }

    @Test func `a raw request is told of its body, and of no list it does not have`() throws {
        func refusal(_ body: [UInt8], _ query: String) throws -> JSONValue {
            try service.send(
                "POST", "/v1/perturb?\(query)", body, headers: [("Content-Type", "image/png")]
            ).json(.unprocessableContent)
        }
        let picture = try pngFile()
        for (body, query) in [
            (Array(picture.dropLast(20)), "steps=[]"), ([UInt8]("GIF89a".utf8), "steps=[]"), ([], "steps=[]"),
            (picture, #"steps=[{"step":"zoom_crop","left":0,"top":0,"width":90,"height":1}]"#),
            (picture, #"steps=[{"step":"gaussian_blur","kernel_size":99,"padding":"reflect"}]"#),
            (picture, #"recipe={"step":"gaussian_blur","kernel_size":99,"padding":"reflect"}"#),
        ] {
            let error = try #require(try refusal(body, query)["errors"]?.array?.first)
            let field = try #require(error["field"]?.string)
            #expect(!field.contains("views") && !field.contains("images"), "\(error.text)")
            #expect(error["index"] == nil)
        }
    }

    @Test(arguments: [
        ("steps=[{\"step\":\"rotation\",\"degrees\":1e+1}]", true),
        ("recipe=cppo-removing&seed=1e+1", true), ("recipe=cppo-removing&seed=+1", true),
        ("recipe=cppo-removing&variants=1E+0", true),
        ("steps=[{\"step\":\"rotation\",\"degrees\":1 0}]", false),
        ("recipe=cppo-removing&seed=1x", false),
    ]) func `a plus that became a blank is told of`(query: String, isTold: Bool) throws {
        let response = try service.send(
            "POST", "/v1/perturb?\(query.replacing(" ", with: "%20"))", pngFile(),
            headers: [("Content-Type", "image/png")])
        #expect(response.status == .badRequest)
        #expect(response.text.contains("a + in a query is a blank; write %2B") == isTold, "\(response.text)")
    }

    @Test func `how transparency, deep gray and damage are read is an option of every form`() throws {
        let png = try pngFile()
        for option in ["alpha=transformers", "gray16=scale", "gray16=clip", "alpha=drop"] {
            let reply = try service.send(
                "POST", "/v1/perturb?steps=[]&format=raw&\(option)", png,
                headers: [("Content-Type", "image/png")])
            #expect(reply.bytes == gradientPicture().samples)
        }
        try service.send(
            "POST", "/v1/perturb?steps=[]&gray16=high", png, headers: [("Content-Type", "image/png")]
        ).expectProblem(.invalidOption, field: "gray16")
        let cut = Array(png.dropLast(30))
        let refused = try service.send(
            "POST", "/v1/perturb?steps=[]", cut, headers: [("Content-Type", "image/png")])
        #expect(refused.text.contains("; allow_truncated would"), "\(refused.text)")
        #expect(
            try service.send(
                "POST", "/v1/perturb?steps=[]&allow_truncated=true", cut,
                headers: [("Content-Type", "image/png")]
            ).status == .ok)
    }

    @Test func `the other forms take no query`() throws {
        try service.post(text: #"{"images":[],"views":[]}"#, to: "/v1/perturb?seed=1").expectProblem(
            .unknownOption, field: "seed")
    }

    @Test func `every bad picture is named, and a good one beside them is not`() throws {
        let good = base64(try pngFile())
        let body =
            #"{"images":[{"data":"\#(good)"},{"data":"AAAA"},{"data":""}],"views":[{"name":"v","steps":[]}]}"#
        let reply = try service.post(text: body, to: "/v1/perturb").json(.unprocessableContent)
        #expect(
            Set(reply["errors"]?.array?.compactMap { $0["field"]?.string } ?? []) == [
                "images[1]", "images[2]",
            ])
    }

    @Test func `steps that don't fit a picture are named with view, step and picture`() throws {
        let small = base64(try pngFile(gradientPicture(width: 2, height: 2)))
        let large = base64(try pngFile(gradientPicture(width: 20, height: 20)))
        let crop = #"{"step":"zoom_crop","left":5,"top":5,"width":5,"height":5}"#
        let body =
            #"{"images":[{"data":"\#(large)"},{"data":"\#(small)"}],"views":[{"name":"a","steps":[]},{"name":"b","steps":[{"step":"rotation","degrees":1},\#(crop)]}]}"#
        let error = try service.post(text: body, to: "/v1/perturb").expectProblem(.invalidStep)
        #expect(error["field"]?.string?.hasPrefix("views[1].steps[1]") == true && error["index"] == [1])
    }
}
