import HTTP
import HTTPTypes
import Images
import JSON
import Service
import Testing

/// Every way for a multipart form of pictures to be wrong, attacks included.
@Suite struct FormProblemTests {
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
}
