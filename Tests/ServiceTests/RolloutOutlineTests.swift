import HTTP
import JSON
@testable import Service
import Testing

@Suite struct RolloutOutlineTests {
    @Test func `dots nest, each object where its first entry stands`() {
        var reply = TensorReply(
            form: .columnar, layout: TokenLayout(rollouts: [.string("a"), nil], lengths: [2, 1]))
        reply.add("mask", masks: [1, 0, 1])
        reply.add("grad.original.log_probs", [0.5, 0, 0] as [Double])
        reply.add("gate", masks: [1, 1, 0])
        reply.add("grad.removing.log_probs", [0, 0.25, 2] as [Double])
        let text = String(decoding: reply.json().body.joined(), as: UTF8.self)
        #expect(
            text == """
                {"rollouts":[{"id":"a","mask":[1,0],"grad":{"original":{"log_probs":[0.5,0]},\
                "removing":{"log_probs":[0,0.25]}},"gate":[1,1]},\
                {"mask":[1],"grad":{"original":{"log_probs":[0]},"removing":{"log_probs":[2.0]}},"gate":[0]}]}
                """)
    }

    @Test func `many rollouts are few pieces`() {
        let count = 5000
        var reply = TensorReply(
            form: .columnar,
            layout: TokenLayout(
                rollouts: [JSONValue?](repeating: nil, count: count),
                lengths: [Int](repeating: 0, count: count)))
        reply.add("mask", masks: [])
        let body = reply.json().body
        #expect(body.count < 200)
        let value = try? JSONValue(parsing: String(decoding: body.joined(), as: UTF8.self))
        #expect(value?["rollouts"]?.array == [JSONValue](repeating: ["mask": []], count: count))
    }
}
