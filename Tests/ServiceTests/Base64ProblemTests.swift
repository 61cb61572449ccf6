import HTTP
import HTTPTypes
import Images
import JSON
import Service
import Testing

/// Every way for the text of a picture to be wrong, and those to be right.
@Suite struct Base64ProblemTests {
    private let service = TestService()

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

    @Test(arguments: [
        (" AAAA", 0, "a blank"), ("AAAA AAA", 4, "a blank"), ("AAA", 3, "without its padding"),
        ("AAAAAA", 6, "without its padding"),
        ("AAAAA", 5, "truncated"), ("AA%2BAAA", 2, "percent-encoded"), ("AAAA\\nAAAA", 4, "line break"),
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
}
