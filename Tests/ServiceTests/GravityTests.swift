import HTTP
import HTTPTypes
import JSON
import Service
import Testing

@Suite("Which of several faults names the reply") struct GravityTests {
    @Test("Every kind of problem has one place among them")
    func complete() {
        #expect(Set(Problem.Kind.byGravity) == Set(Problem.Kind.allCases))
        #expect(Problem.Kind.byGravity.count == Problem.Kind.allCases.count)
    }

    @Test(
        "A fault of reading comes before one of values, whichever was found first",
        arguments: [
            #"{"options":{"tau":0,"nope":1},"rollouts":[]}"#,
            #"{"options":{"nope":1,"tau":0},"rollouts":[]}"#,
        ])
    func named(body: String) throws {
        let reply = try TestService().post(text: body, to: "/v1/score").json(.badRequest)
        #expect(reply["type"]?.string?.hasSuffix("unknown-option") == true)
        #expect(reply["errors"]?.array?.first?["field"] == "nope")
    }
}
