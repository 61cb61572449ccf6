import HTTPTypes
import Testing

@testable import HTTP

@Suite("Paths with a segment in braces")
struct PathTemplateTests {
    private let router = Router([
        Route(.get, "/items") { _ in .reply(Response(text: "list")) },
        Route(.get, "/items/{name}/look") { _ in .reply(Response(text: "look")) },
        Route(.post, "/items/{name}/look") { _ in .reply(Response(text: "post")) },
        Route(.get, "/items/fixed/look") { _ in .reply(Response(text: "fixed")) },
    ])

    private func answer(_ method: HTTPRequest.Method, _ path: String) -> String {
        switch router.resolve(method, path) {
        case .matched(let route): "\(route.method) \(route.path)"
        case .options(let allow), .methodNotAllowed(let allow): allow.map(\.rawValue).joined(separator: " ")
        case .notFound: "none"
        }
    }

    @Test("Any one segment fills it, and an exact path wins")
    func matches() {
        #expect(answer(.get, "/items/a-b_1/look") == "GET /items/{name}/look")
        #expect(answer(.post, "/items/a/look") == "POST /items/{name}/look")
        #expect(answer(.head, "/items/a/look") == "GET /items/{name}/look")
        #expect(answer(.get, "/items/fixed/look") == "GET /items/fixed/look")
        #expect(answer(.get, "/items/{name}/look") == "GET /items/{name}/look")
        #expect(answer(.delete, "/items/a/look") == "GET HEAD OPTIONS POST")
        #expect(answer(.options, "/items/a/look") == "GET HEAD OPTIONS POST")
    }

    @Test(
        "No segment, several, and other ends are another path",
        arguments: [
            "/items/look", "/items//look", "/items/a/b/look", "/items/a/look/", "/items/a/looks", "/items/a",
            "/items/", "//items/a/look", "/ITEMS/a/look", "/items/look/look/look",
        ])
    func others(_ path: String) {
        #expect(answer(.get, path) == "none")
    }

    @Test("What fills the segment is told")
    func parameter() {
        let template = PathTemplate("/items/{name}/look")
        #expect(template?.parameter(in: "/items/a b.é/look") == "a b.é")
        #expect(template?.parameter(in: "/items/look/look") == "look")
        #expect(template?.parameter(in: "/items/look") == nil)
        #expect(PathTemplate("/items") == nil)
    }
}
