import HTTPTypes
import JSON
import Locking
import Logging
import Observability
import Service
import Testing

@testable import HTTP

/// The access lines of a service, parsed.
@Suite struct AccessLogTests {
    private final class Records: Sendable {
        private let lines = Monitor<[[UInt8]]>([])

        func append(_ line: [UInt8]) { lines.withLock { $0.append(line) } }

        var all: [JSONValue] {
            get throws { try lines.withLock { $0 }.map { try JSONValue(parsing: $0) } }
        }
    }

    private func head(_ method: String, _ target: String, _ fields: [(String, String)] = []) throws
        -> RequestHead
    {
        var headers: HTTPFields = [try #require(HTTPField.Name("Host")): "localhost"]
        for (name, value) in fields {
            headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return try RequestHead(method: method, target: target, headers: headers)
    }

    /// What is logged when exchanges end.
    private func records(_ exchanges: [Exchange], level: Logger.Level = .info) throws -> [JSONValue] {
        let records = Records()
        let handler = LineLogHandler(label: "test", level: level, format: .json) { records.append($0) }
        let service = PerceptionService(
            settings: ServiceSettings(), logger: Logger(label: "test") { _ in handler }, isReady: { true },
            load: { .idle })
        for exchange in exchanges { service.observer.requestFinished(exchange) }
        return try records.all
    }

    private func exchange(
        _ head: RequestHead?, _ route: String?, _ status: Int?, _ ending: Exchange.Ending = .completed,
        problem: String? = nil
    ) -> Exchange {
        var durations = Exchange.Durations()
        durations.receive = .microseconds(1500)
        durations.queue = .microseconds(250)
        durations.work = .milliseconds(4)
        durations.total = .microseconds(6789)
        var notes = ResponseNotes()
        notes.problem = problem
        notes.phases = [("decode", .milliseconds(1)), ("compute", .milliseconds(2))]
        return Exchange(
            head: head, route: route, status: status.map { HTTPResponse.Status(code: $0) }, bytesIn: 1234,
            bytesOut: 56, durations: durations, ending: ending, client: "192.0.2.7",
            notes: notes)
    }

    @Test func `one record says who asked, what came of it and where the time went`() throws {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let head = try head(
            "POST", "/v1/score?preset=secret-option",
            [
                ("X-Request-ID", "r-1"), ("traceparent", trace), ("Perception-Run", "team/seed:3"),
                ("Authorization", "Bearer s3cret"),
                // What anybody may claim.
                ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"),
            ])
        let records = try records([exchange(head, "/v1/score", 200)])
        let record = try #require(records.first)
        let expected: JSONValue = [
            "bytes_in": 1234, "bytes_out": 56, "client": "192.0.2.7", "compute_ms": 2.0, "decode_ms": 1.0,
            "duration_ms": 6.789,
            "ending": "completed", "method": "POST",
            "parent_span_id": "00f067aa0ba902b7", "path": "/v1/score", "queue_ms": 0.25, "receive_ms": 1.5,
            "request_id": "r-1", "run": "team/seed:3", "status": 200,
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        ]
        let fields = (record.members ?? []).filter {
            !["time", "level", "logger", "message"].contains($0.name)
        }
        #expect(fields.map(\.name) == expected.members?.map(\.name))
        for field in fields {
            #expect(
                field.value == expected[field.name] || field.value.double == expected[field.name]?.double,
                "\(field.name)")
        }
        #expect(records.count == 1 && record["message"] == "request" && record["level"] == "info")
        #expect(!record.text.contains("secret") && !record.text.contains("s3cret"))
        #expect(!record.text.contains("203.0.113.9"))
    }

    static let levels: [(String?, Int?, Exchange.Ending, String)] = [
        ("/v1/score", 200, .completed, "info"), ("/v1/score", 422, .completed, "info"),
        ("/v1/score", 503, .completed, "warning"), ("/v1/score", 507, .completed, "warning"),
        ("/v1/score", 500, .completed, "error"), ("/v1/score", 200, .clientGone, "info"),
        ("/v1/score", 408, .timeout, "warning"), ("/v1/score", nil, .abandoned, "warning"),
        (nil, 404, .completed, "info"), ("/readyz", 200, .completed, "debug"),
        ("/healthz", 200, .completed, "debug"), ("/metrics", 200, .completed, "debug"),
    ]

    @Test(arguments: levels) func `the level tells whether an operator should look`(
        route: String?, status: Int?, ending: Exchange.Ending, level: String
    ) throws {
        let head = try head("GET", route ?? "/nowhere")
        let one = exchange(head, route, status, ending)
        #expect(try records([one], level: .debug).map { $0["level"] } == [.string(level)])
        #expect(try records([one]).isEmpty == (level == "debug"))
        #expect(try records([one], level: .critical).isEmpty)
    }

    @Test func `a problem is named, also where the server cut a slow client off`() throws {
        let head = try head("POST", "/v1/mask")
        let records = try records([
            exchange(head, "/v1/mask", 422, problem: "invalid-shape"),
            exchange(head, "/v1/mask", 408, .timeout), exchange(head, "/v1/mask", 200),
        ])
        #expect(records.map { $0["problem"]?.string } == ["invalid-shape", "request-timeout", nil])
        #expect(records.map { $0["run"] } == [nil, nil, nil])
    }

    @Test func `a connection that only came and went is no news, and has no path`() throws {
        let gone = exchange(nil, nil, nil, .clientGone)
        #expect(try records([gone]).isEmpty)
        let record = try #require(try records([gone], level: .debug).first)
        #expect(record["path"] == nil && record["status"] == 0 && record["ending"] == "client-gone")
    }

    @Test func `a path that no route has is clipped and can't break the line`() throws {
        let head = try head("GET", "/" + String(repeating: "%20%22x", count: 1000))
        let record = try #require(try records([exchange(head, nil, 404)]).first)
        let path = try #require(record["path"]?.string)
        #expect(path.count < 300 && path.hasPrefix("/ \"x"))
    }

    @Test(arguments: ["00-short-00f067aa0ba902b7-01", ""]) func `a broken traceparent is left out`(
        value: String
    ) throws {
        let head = try head("GET", "/v1/info", [("traceparent", value)])
        let record = try #require(try records([exchange(head, "/v1/info", 200)]).first)
        #expect(record["trace_id"] == nil && record["parent_span_id"] == nil && record["status"] == 200)
    }
}
