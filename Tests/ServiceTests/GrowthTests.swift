import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Work grows with the body, not with its square. A minute is thousands of times what each request takes, and less than it
/// would take by the square.
@Suite(.timeLimit(.minutes(1))) struct GrowthTests {
    /// 2 × 2 pixels.
    private static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5E"
        + "rkJggg=="

    private func perturb(_ members: String) throws -> Response {
        try TestService().post(
            text: "{\"images\":[{\"data\":\"\(Self.picture)\"}],\(members)}", to: "/v1/perturb")
    }

    @Test func `engine replies of many rollouts`() throws {
        let rollout = #"{"response_length":0,"original":{"reply":{"prompt_logprobs":[]}}}"#
        let rollouts = Array(repeating: rollout, count: 60_000).joined(separator: ",")
        let reply = try TestService().post(
            text: #"{"options":{"vocabulary_size":10},"rollouts":[\#(rollouts)]}"#, to: "/v1/entropy")
        #expect(reply.status == .ok, "\(reply.text.prefix(300))")
    }

    @Test func `a recipe whose elements may draw thousands of patches`() throws {
        let ratios = (1...1000).map { "0.\(String($0 + 1000))" }.joined(separator: ",")
        let element = #"{"step":"occlusion","count":4096,"width_ratio":{"choice":[\#(ratios)]}}"#
        let elements = Array(repeating: element, count: 63).joined(separator: ",")
        // A last element that is refused, so that nothing is drawn.
        let reply = try perturb(
            #""views":[{"name":"v","recipe":{"name":"x","steps":[\#(elements),{"step":"occlusion","count":4097}]}}]"#
        )
        try reply.expectProblem(.invalidStep)
    }

    @Test func `second pictures are limited, and found without a search`() throws {
        let images = (0..<40_000).map { #"{"id":"a\#($0)","data":""}"# }.joined(separator: ",")
        func reply(seconds: Int) throws -> Response {
            let seconds = Array(repeating: #""a39999""#, count: seconds).joined(separator: ",")
            return try TestService().post(
                text:
                    #"{"images":[\#(images)],"views":[{"name":"v","recipe":"vision-matters-mixup","second_images":[\#(seconds)]}]}"#,
                to: "/v1/perturb")
        }
        try reply(seconds: 1025).expectProblem(.invalidValue, field: "views[0].second_images")
        // Empty files are refused once everything named has been found.
        try reply(seconds: 1024).expectProblem(.malformedImage)
    }

    @Test func `listed files are found without a search`() throws {
        let count = 30_000
        let listed = (0..<count).map { #"{"id":"a\#($0)"}"# }.joined(separator: ",")
        var body = "--edge\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n"
        body += #"{"images":[\#(listed)],"views":[{"name":"v","steps":[]}]}"#
        for index in 0..<2000 {
            body += "\r\n--edge\r\nContent-Disposition: form-data; name=\"b\(index)\"\r\n\r\n"
        }
        body += "\r\n--edge--\r\n"
        let reply = try TestService().post(
            "/v1/perturb", Array(body.utf8), type: "multipart/form-data; boundary=edge")
        try reply.expectProblem(.missingField, field: "images")
    }

    @Test(arguments: [true, false]) func `pictures without anything are limited`(isForm: Bool) throws {
        let images = Array(repeating: "{}", count: 65_537).joined(separator: ",")
        let request = #"{"images":[\#(images)],"views":[]}"#
        let form =
            "--edge\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n\(request)\r\n--edge--\r\n"
        let reply = try TestService().post(
            "/v1/perturb", Array((isForm ? form : request).utf8),
            type: isForm ? "multipart/form-data; boundary=edge" : "application/json")
        try reply.expectProblem(.malformedJSON)
    }

    @Test func `groups are counted before they are widened`() throws {
        var file = SafetensorsWriter()
        let count = 1 << 20 + 1
        file.append("group_ids", .uint8, shape: [count], bytes: [UInt8](repeating: 0, count: count))
        let reply = try TestService().post("/v1/mask", file.segments().flatMap { $0 })
        try reply.expectProblem(.invalidShape, field: "group_ids")
    }
}
