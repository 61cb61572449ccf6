import HTTP
import HTTPTypes
import Images
import JSON
import Service
import Testing

/// Every way for a request for pictures to be wrong, attacks included.
@Suite struct PerturbProblemTests {
    private let service = TestService()

    private func form(_ body: [UInt8], type: String = "multipart/form-data; boundary=edge") throws -> Response
    {
        try service.send("POST", "/v1/perturb", body, headers: [("Content-Type", type)])
    }

    private static let request = (
        "Content-Disposition: form-data; name=\"request\"",
        Array(#"{"views":[{"name":"v","steps":[]}]}"#.utf8)
    )

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundry=edge",
        "multipart/form-data; boundary=other",
        "multipart/form-data; boundary=\(String(repeating: "x", count: 71))",
        "multipart/form-data; boundary=edg",
    ]) func `a boundary that is missing, empty, too long or another is refused`(type: String) throws {
        try form(multipart([Self.request]), type: type).expectProblem(.malformedMultipart)
    }

    static let malformedForms: [(String, String)] = [
        ("nothing", ""), ("no delimiter", "hello"), ("only an opening", "--edge"),
        ("an opening line", "--edge\r\n"),
        ("an unfinished header", "--edge\r\nContent-Disposition: form-data; name=\"request\""),
        ("a header without an end", "--edge\r\nContent-Disposition: form-data; name=\"request\"\r\n"),
        ("a part without an end", "--edge\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{}"),
        (
            "a part without a closing delimiter",
            "--edge\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{}\r\n--edge"
        ),
        (
            "a line after the boundary",
            "--edge trailing\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--edge--\r\n"
        ),
        ("a bare line feed", "--edge\nContent-Disposition: form-data; name=\"request\"\n\n{}\n--edge--\n"),
        ("no name", "--edge\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--edge--\r\n"),
        ("no disposition", "--edge\r\nContent-Type: image/png\r\n\r\n{}\r\n--edge--\r\n"),
        ("no headers", "--edge\r\n\r\n{}\r\n--edge--\r\n"),
        (
            "an attachment",
            "--edge\r\nContent-Disposition: attachment; name=\"request\"\r\n\r\n{}\r\n--edge--\r\n"
        ),
        ("a line without a colon", "--edge\r\nContent-Disposition form-data\r\n\r\n{}\r\n--edge--\r\n"),
        (
            "a nested form",
            "--edge\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n--edge--\r\n"
        ),
        (
            "a huge header",
            "--edge\r\nContent-Disposition: form-data; name=\"\(String(repeating: "a", count: 9000))\"\r\n\r\n\r\n--edge--\r\n"
        ),
        ("many headers", "--edge\r\n\(String(repeating: "X-A: b\r\n", count: 2000))\r\n\r\n--edge--\r\n"),
        ("a long line", "--edge\r\n\(String(repeating: "a", count: 1 << 20))"),
        (
            "two requests",
            "--edge\r\nContent-Disposition: form-data; name=request\r\n\r\n{}\r\n--edge\r\nContent-Disposition: form-data; name=request\r\n\r\n{}\r\n--edge--\r\n"
        ),
    ]

    @Test(arguments: malformedForms) func `a malformed form is refused`(what: String, text: String) throws {
        try form(Array(text.utf8)).expectProblem(.malformedMultipart)
    }

    @Test func `header bytes that are not UTF-8 and too many parts are refused`() throws {
        let bytes =
            Array("--edge\r\nContent-Disposition: form-data; name=\"".utf8) + [0xFF, 0xFE]
            + Array("\"\r\n\r\nx\r\n--edge--\r\n".utf8)
        try form(bytes).expectProblem(.malformedMultipart)
        let many = multipart((0..<4097).map { ("Content-Disposition: form-data; name=p\($0)", []) })
        try form(many).expectProblem(.malformedMultipart)
    }

    @Test func `every truncation of a form is refused`() throws {
        let body = multipart([
            Self.request, formPart("images", try pngFile(gradientPicture(width: 2, height: 2))),
        ])
        #expect(try form(body).status == .ok)
        // Without its last line break the form is still closed.
        #expect(try form(Array(body.dropLast(2))).status == .ok)
        for length in 0..<(body.count - 2) {
            #expect(try form(Array(body[..<length])).status == .badRequest, "\(length)")
        }
    }

    @Test func `preambles, epilogues, blanks after boundaries and contents like boundaries are no harm`()
        throws
    {
        let picture = try pngFile(gradientPicture(width: 2, height: 2))
        let plain = multipart([Self.request, formPart("images", picture)])
        let expected = try form(plain).json()
        #expect(
            try form(Array("preamble\r\n".utf8) + plain + Array("epilogue --edge".utf8)).json() == expected)
        let blanks = String(decoding: multipart([Self.request]), as: UTF8.self).replacing(
            "--edge\r\n", with: "--edge \t\r\n")
        #expect(try form(Array(blanks.utf8)).status == .ok)
        // The delimiter counts only at the start of a line.
        let inside = (
            "Content-Disposition: form-data; name=\"request\"",
            Array(#"{"views":[{"name":"--edge--","steps":[]}]}"#.utf8)
        )
        #expect(try form(multipart([inside])).status == .ok)
        let semicolon = ("content-DISPOSITION:form-data;x=\"a;b\\\"\";name=\"request\"", Self.request.1)
        #expect(try form(multipart([semicolon])).status == .ok)
    }

    static let wrongForms: [(Problem.Kind, String?, String, [String])] = [
        (.missingField, "request", "", ["images"]), (.malformedJSON, "request", "{", []),
        (.invalidType, "request", "[]", []),
        (.missingField, "views", "{}", []),
        (.malformedImage, "images[0]", #"{"views":[{"name":"v","steps":[]}]}"#, ["broken"]),
        (.duplicateID, "images[1].id", #"{"views":[{"name":"v","steps":[]}]}"#, ["a", "a"]),
        (.invalidValue, "-x", #"{"views":[{"name":"v","steps":[]}]}"#, ["-x"]),
        (.missingField, "images", #"{"views":[{"name":"v","steps":[]}],"images":[{"id":"b"}]}"#, ["b2"]),
        (.unknownField, "b", #"{"views":[{"name":"v","steps":[]}],"images":[{"id":"a"}]}"#, ["a", "b"]),
        (
            .unknownField, "images[0].data",
            #"{"views":[{"name":"v","steps":[]}],"images":[{"id":"a","data":""}]}"#, ["a"]
        ),
        (.missingField, "images[0].id", #"{"views":[{"name":"v","steps":[]}],"images":[{}]}"#, ["a"]),
        (
            .duplicateID, "images[1].id",
            #"{"views":[{"name":"v","steps":[]}],"images":[{"id":"a"},{"id":"a"}]}"#, ["a"]
        ),
    ]

    @Test(arguments: wrongForms) func `a form that contradicts itself is refused with its place`(
        kind: Problem.Kind, field: String?, request: String, files: [String]
    ) throws {
        let picture = try pngFile(gradientPicture(width: 2, height: 2))
        var parts = files.map { formPart($0, $0 == "broken" ? Array(picture.dropLast(20)) : picture) }
        if !request.isEmpty {
            parts.append(("Content-Disposition: form-data; name=request", Array(request.utf8)))
        }
        try form(multipart(parts)).expectProblem(kind, field: field)
    }

    static let malformedBase64 = [
        "A", "AA", "AAA", "AAAAA", "=", "==", "====", "A===", "AA=A", "=AAA", "AAAA=", "AAAA====", "AA==AAAA",
        "AA AA===", "AAAA\\n",
        "AA-_", "A*==", "AB==", "AAB=", "AA=\\u0000", "ÄAA=", "\\u0041AA", "data:image/png;base64,A",
        "data:image/png,AAAA",
        "data:image/png;base64", "data:;base65,AAAA",
        "data:\(String(repeating: "x", count: 300));base64,AAAA",
    ]

    @Test(arguments: malformedBase64) func `text that is no base64 is refused with its place`(text: String)
        throws
    {
        let body = #"{"images":[{"data":"\#(text)"}],"views":[{"name":"v","steps":[]}]}"#
        try service.post(text: body, to: "/v1/perturb").expectProblem(.invalidValue, field: "images[0].data")
    }

    @Test func `the place of a stray character is its byte in the body`() throws {
        let body = #"{"images":[{"data":"AAAA*AAA"}],"views":[{"name":"v","steps":[]}]}"#
        try service.post(text: body, to: "/v1/perturb").expectProblem(
            .invalidValue, field: "images[0].data", byte: 24)
    }

    @Test(arguments: 0..<40) func `files of every length modulo three survive base64`(length: Int) throws {
        let file =
            try pngFile(gradientPicture(width: 1, height: 1))
            + [UInt8](repeating: UInt8(length), count: length)
        let text = base64(file)
        for data in [
            text, "data:image/png;base64,\(text)", "data:;base64,\(text)", text.replacing("/", with: "\\/"),
        ] {
            let body = #"{"images":[{"data":"\#(data)"}],"views":[{"name":"v","steps":[]}],"format":"raw"}"#
            let reply = try service.post(text: body, to: "/v1/perturb").json()
            let view = reply["images"]?.array?.first?["views"]?.array?.first
            #expect(view?["data"]?.string == base64(gradientPicture(width: 1, height: 1).samples))
        }
    }

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

    @Test(arguments: [
        (" AAAA", 0, "a blank"), ("AAAA AAA", 4, "a blank"), ("AAA", 3, "without its padding"),
        ("AAAAAA", 6, "without its padding"),
        ("AAAAA", 5, "was cut"), ("AA%2BAAA", 2, "not %2B"), ("AAAA\\nAAAA", 4, "line break"),
        ("AA-_", 2, "alphabet"),
        ("AA==AAAA", 2, "padding within"), ("AAAA====", 4, "padding within"),
        ("AAA==", 3, "too much padding"), ("AAB=", 2, "bits"),
        ("data:image/png;base64, AAAA", 22, "a blank"), ("DATA:IMAGE/PNG;BASE64,AA*A", 24, "not base64"),
        ("data:image/png,AAAA", 0, "data URI"),
    ]) func `base64 is told of at the byte that is wrong, in words`(text: String, offset: Int, words: String)
        throws
    {
        let body = #"{"images":[{"data":"\#(text)"}],"views":[{"name":"v","steps":[]}]}"#
        let isEscaped = text.contains("\\")
        let problem = try service.post(text: body, to: "/v1/perturb").expectProblem(
            .invalidValue, field: "images[0].data", byte: isEscaped ? nil : 20 + offset)
        #expect(problem["reason"]?.string?.contains(words) == true, "\(problem.text)")
    }

    @Test(arguments: [
        "DATA:IMAGE/PNG;BASE64,", "Data:;Base64,", "data:image/x-anything;charset=utf-8;base64,",
    ])
    func `the scheme of a data URI and base64 are read in any case`(prefix: String) throws {
        let text = base64(try pngFile())
        let body = #"{"images":[{"data":"\#(prefix)\#(text)"}],"views":[{"name":"v","steps":[]}]}"#
        #expect(try service.post(text: body, to: "/v1/perturb").status == .ok)
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
        #expect(refused.text.contains("with allow_truncated"), "\(refused.text)")
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
