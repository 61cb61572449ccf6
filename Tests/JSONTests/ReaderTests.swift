import JSON
import Testing

@Suite("Pulling values from JSON")
struct ReaderTests {
    typealias Pull = @Sendable (inout JSONReader) throws(JSONError) -> Void

    static let pulls: [(String, Pull)] = [
        ("null", { (r) throws(JSONError) in try r.null() }),
        ("true", { (r) throws(JSONError) in _ = try r.bool() }),
        ("false", { (r) throws(JSONError) in _ = try r.bool() }),
        ("1", { (r) throws(JSONError) in _ = try r.number() }),
        ("1", { (r) throws(JSONError) in _ = try r.double() }),
        ("\"a\"", { (r) throws(JSONError) in _ = try r.string() }),
        ("[]", { (r) throws(JSONError) in try r.array { (_, _) throws(JSONError) in } }),
        ("{}", { (r) throws(JSONError) in try r.object { (_, _) throws(JSONError) in } }),
    ]

    @Test(
        "A skipped value leaves the reader where a read one does",
        arguments: [
            "null", "true", "-1.5e3", "\"a\\u00e9\"", "[]", "{}", "[1,[{\"a\":[]}],\"]\"]",
            "{\"a\":{\"b\":[1]},\"c\":2}", "[", "{\"a\"", "[1,]", "{\"a\":1,\"a\":2}", "NaN", "1e999",
            "[[[[[0]]]]]",
        ])
    func skipping(_ text: String) {
        func position(after step: Pull) -> Result<Int, JSONError> {
            var reader = JSONReader(Array(" \(text) ,0".utf8), depthLimit: 4)
            do throws(JSONError) {
                try step(&reader)
                return .success(reader.position)
            } catch {
                return .failure(error)
            }
        }
        let skipped = position { (r) throws(JSONError) in try r.skip() }
        #expect(skipped == position { (r) throws(JSONError) in _ = try r.value() })
    }

    @Test("Asking for one kind and finding another is an error of that kind at that byte")
    func kinds() {
        for (own, pull) in ReaderTests.pulls {
            for other in ["null", "true", "1", "\"a\"", "[]", "{}"] {
                var reader = JSONReader(Array("  \(other)".utf8))
                let same = other == own || (other == "true" && own == "false")
                do throws(JSONError) {
                    try pull(&reader)
                    #expect(same, "\(own) was read from \(other)")
                } catch {
                    #expect(!same, "\(own): \(error)")
                    #expect(error.byte == 2)
                    if case .wrongKind = error.reason {} else { Issue.record("\(error)") }
                }
            }
        }
    }

    @Test(
        "Whether lists nest is seen without reading them",
        arguments: [
            ("[[1]]", true), (" [ [", true), ("[1]", false), ("[]", false), ("1", false), ("[\n\t[]]", true),
            ("[", false),
        ])
    func nesting(_ text: String, _ nests: Bool) throws {
        var reader = JSONReader(Array(text.utf8))
        #expect(try reader.startsNestedArray() == nests)
    }

    @Test("Numbers are appended to what is there")
    func appending() throws {
        var reader = JSONReader(Array("[ 1,2 ] ".utf8))
        var values = [7.0]
        try reader.numbers(into: &values)
        try reader.end()
        #expect(values == [7, 1, 2])
    }

    @Test("Accessors tell kinds apart")
    func accessors() {
        #expect(JSONValue.integer(3).double == 3 && JSONValue.number(3).integer == 3)
        #expect(JSONValue.number(3.5).integer == nil && JSONValue.number(1e300).integer == nil)
        #expect(JSONValue.string("3").double == nil && JSONValue.bool(true).integer == nil)
        #expect(
            JSONValue.null.bool == nil && JSONValue.array([]).members == nil
                && JSONValue.object([]).array == nil)
        #expect((["a": 1] as JSONValue)["a"] == 1)
        #expect((["a": 1] as JSONValue)["b"] == nil && JSONValue.null["a"] == nil)
    }
}
