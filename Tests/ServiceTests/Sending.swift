import HTTP
import HTTPTypes
import JSON
import Service
import Testing

extension TestService {
    /// Any request, with fields of the caller's choice.
    func send(
        _ method: String, _ target: String, _ body: [UInt8] = [], headers: [(String, String)] = [],
        scope: RequestScope = .unbounded
    ) throws -> Response {
        var fields: HTTPFields = [try name("Host"): "localhost"]
        for (field, value) in headers { fields.append(HTTPField(name: try name(field), value: value)) }
        if !body.isEmpty { fields[.contentLength] = "\(body.count)" }
        let head = try RequestHead(method: method, target: target, headers: fields)
        return service.router.respond(
            to: head, body: body, scope: scope, render: PerceptionService.render)
    }

    func get(_ target: String) throws -> Response { try send("GET", target) }

    func post(json: JSONValue, to target: String) throws -> Response {
        try post(target, json.bytes, type: "application/json")
    }

    func post(text: String, to target: String) throws -> Response {
        try post(target, Array(text.utf8), type: "application/json")
    }

    private func name(_ text: String) throws -> HTTPField.Name { try #require(HTTPField.Name(text)) }
}

extension Response {
    /// The body as JSON, of an answer that is one.
    func json(_ status: HTTPResponse.Status = .ok, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> JSONValue
    {
        try #require(self.status == status, "\(text.prefix(500))", sourceLocation: sourceLocation)
        return try JSONValue(parsing: bytes)
    }

    /// Expects an answer of this kind, complete as the contract has it, and gives the reason that matches.
    @discardableResult
    func expectProblem(
        _ kind: Problem.Kind, field: String? = nil, index: [Int]? = nil, byte: Int? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSONValue {
        let json = try json(kind.status, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(json["type"] == .string(kind.rawValue), "\(text)", sourceLocation: sourceLocation)
        #expect(json["title"] == .string(kind.title), sourceLocation: sourceLocation)
        #expect(json["status"] == .integer(Int64(kind.status.code)), sourceLocation: sourceLocation)
        #expect(json["detail"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
        let errors = try #require(json["errors"]?.array, sourceLocation: sourceLocation)
        #expect((1...20).contains(errors.count), sourceLocation: sourceLocation)
        let first = try #require(
            errors.first { field == nil || $0["field"]?.string == field }, "\(text)",
            sourceLocation: sourceLocation)
        #expect(first["reason"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
        if let index {
            #expect(
                first["index"] == .array(index.map { .integer(Int64($0)) }), "\(text)",
                sourceLocation: sourceLocation)
        }
        if let byte {
            #expect(first["byte"] == .integer(Int64(byte)), "\(text)", sourceLocation: sourceLocation)
        }
        return first
    }
}

/// Text for a query's value, every byte of it encoded.
func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count < 2 ? "%0\(digits)" : "%\(digits)"
    }.joined()
}
