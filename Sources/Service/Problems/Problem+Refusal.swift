import HTTP
import HTTPTypes

extension Problem {
    /// Creates the problem for a refusal by the HTTP module, in the words of the contract.
    init(_ refusal: Refusal) {
        switch refusal {
        case .malformed(let malformed): self.init(.malformedRequest, Reason(malformed))
        case .notFound(let path):
            self.init(.notFound, Reason("the path does not exist", field: "path", found: path))
        case .methodNotAllowed(let method, let allow):
            self.init(
                .methodNotAllowed,
                Reason(
                    "the path does not support this method", field: "method",
                    expected: allow.map(\.rawValue).joined(separator: ", "), found: method.rawValue))
        case .headersTooSlow(let limit):
            self.init(
                .requestTimeout,
                Reason("the header did not arrive in time", field: "header", expected: "\(limit)"))
        case .bodyTooSlow(let received, let declared):
            self.init(
                .requestTimeout,
                Reason(
                    "the body arrived too slowly", field: "body", expected: declared.map { "\($0) bytes" },
                    found: "\(received) bytes"))
        case .bodyTooLarge(let limit, let declared, let received):
            self.init(
                .bodyTooLarge,
                Reason(
                    "the body exceeds the server's limit", field: "body",
                    expected: "at most \(limit) bytes",
                    found: declared.map { "\($0) bytes declared" } ?? "more than \(received) bytes"),
                limit: limit)
        case .targetTooLong(let limit, let length):
            self.init(
                .targetTooLong,
                Reason(
                    "too long", field: "target", expected: "at most \(limit) bytes", found: "\(length) bytes"),
                limit: limit)
        case .contentEncodingUnsupported(let encoding):
            self.init(
                .unsupportedEncoding,
                Reason(
                    "the server does not decode bodies", field: "Content-Encoding", expected: "identity",
                    found: encoding))
        case .expectationFailed(let expectation):
            self.init(
                .expectationFailed,
                Reason(
                    "the server cannot meet this expectation", field: "Expect", expected: "100-continue",
                    found: expectation))
        case .headersTooLarge(let limit, let size):
            self.init(
                .headersTooLarge,
                Reason(
                    "too large", field: "header", expected: "at most \(limit) bytes", found: "\(size) bytes"),
                limit: limit)
        case .busy(let full, _):
            let reason =
                switch full {
                case .queue: "the queue is full; try again after Retry-After seconds"
                case .connections:
                    "the limit of connections is reached; try again after Retry-After seconds"
                }
            self.init(
                .busy, Reason(reason, expected: "\(full.name) \(full.value)"), limit: full.value,
                limitName: full.name)
        case .draining: self.init(.draining, "the server accepts no new requests")
        case .deadlineExceeded(let limit):
            self.init(
                .deadlineExceeded,
                Reason(
                    "the answer was not ready in time; send less at once, or allow more time",
                    field: "X-Request-Timeout", expected: "within \(limit)"))
        case .memoryInUse(let needed, let free, let budget, _):
            self.init(
                .busy,
                Reason(
                    "other requests hold the memory budget; try again after Retry-After seconds",
                    field: "body",
                    expected: "at most \(free) of \(budget) bytes now", found: "\(needed) bytes"),
                limit: budget, limitName: "memory_budget_bytes")
        case .memoryInsufficient(let needed, let budget):
            self.init(
                .memoryBudgetExceeded,
                Reason(
                    "the request is larger than the memory budget; split it", field: "body",
                    expected: "at most \(budget) bytes",
                    found: "\(needed) bytes"),
                limit: budget, limitName: "memory_budget_bytes")
        }
    }
}

extension Problem.Reason {
    init(_ malformed: MalformedRequest) {
        switch malformed {
        case .contentLengthWithTransferEncoding:
            self.init(
                "with Transfer-Encoding beside it, the end of the body is ambiguous", field: "Content-Length")
        case .contentLengthRepeated(let count):
            self.init("given more than once", field: "Content-Length", found: "\(count) times")
        case .contentLengthInvalid(let value):
            self.init("not a number of bytes", field: "Content-Length", found: value)
        case .transferEncodingUnsupported(let value):
            self.init(
                "not supported", field: "Transfer-Encoding", expected: "chunked, once, over HTTP/1.1",
                found: value)
        case .hostMissing: self.init("missing", field: "Host")
        case .hostRepeated(let count):
            self.init("given more than once", field: "Host", found: "\(count) times")
        case .hostInvalid(let value): self.init("not a host", field: "Host", found: value)
        case .methodInvalid(let value): self.init("not a method", field: "method", found: value)
        case .versionUnsupported(let value):
            self.init("not supported", field: "version", expected: "HTTP/1.0 or HTTP/1.1", found: value)
        case .targetInvalid(let value): self.init("not a request target", field: "target", found: value)
        case .percentEncodingInvalid(let position):
            self.init("a % without two hexadecimal digits", field: "target", index: [position])
        case .controlByte(let byte, let position):
            self.init("a control byte", field: "target", index: [position], found: "\(byte)")
        case .notUTF8(let part): self.init("not UTF-8", field: part.rawValue)
        case .fieldNameInvalid(let name): self.init("not a field name", field: "header", found: name)
        case .fieldValueInvalid(let name): self.init("not a field value", field: name)
        case .timeoutInvalid(let value):
            self.init(
                "not a time", field: "X-Request-Timeout", expected: "seconds, more than 0, such as 30 or 2.5",
                found: value)
        }
    }
}
