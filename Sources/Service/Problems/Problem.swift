package import HTTP
package import HTTPTypes
import JSON

/// An answer that reports what is wrong with a request: `application/problem+json` (RFC 9457).
package struct Problem: Error, Sendable, Equatable {
    /// Stable words for `type`, which clients may switch on. Each has one status.
    package enum Kind: String, Sendable, CaseIterable {
        case malformedRequest = "malformed-request"
        case malformedJSON = "malformed-json"
        case malformedSafetensors = "malformed-safetensors"
        case malformedMultipart = "malformed-multipart"
        case missingField = "missing-field"
        case unknownField = "unknown-field"
        case unknownOption = "unknown-option"
        case invalidType = "invalid-type"
        case unauthorized
        case forbidden
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case requestTimeout = "request-timeout"
        case bodyTooLarge = "body-too-large"
        case imageTooLarge = "image-too-large"
        case targetTooLong = "target-too-long"
        case unsupportedMediaType = "unsupported-media-type"
        case unsupportedEncoding = "unsupported-encoding"
        case expectationFailed = "expectation-failed"
        case invalidOption = "invalid-option"
        case invalidShape = "invalid-shape"
        case invalidElementType = "invalid-element-type"
        case invalidValue = "invalid-value"
        case nonFiniteValue = "non-finite-value"
        case conflictingFields = "conflicting-fields"
        case duplicateID = "duplicate-id"
        case unknownRecipe = "unknown-recipe"
        case invalidStep = "invalid-step"
        case malformedImage = "malformed-image"
        case unsupportedImage = "unsupported-image"
        case invalidSharedFile = "invalid-shared-file"
        case sharedFileChanged = "shared-file-changed"
        case sharedStorageFull = "shared-storage-full"
        case headersTooLarge = "headers-too-large"
        case busy
        case draining
        case deadlineExceeded = "deadline-exceeded"
        case memoryBudgetExceeded = "memory-budget-exceeded"

        /// The status of this kind, always the same.
        package var status: HTTPResponse.Status {
            switch self {
            case .malformedRequest, .malformedJSON, .malformedSafetensors, .malformedMultipart,
                .missingField, .unknownField, .unknownOption, .invalidType:
                .badRequest
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .requestTimeout: .requestTimeout
            case .bodyTooLarge, .imageTooLarge: .contentTooLarge
            case .targetTooLong: .uriTooLong
            case .unsupportedMediaType, .unsupportedEncoding: .unsupportedMediaType
            case .expectationFailed: .expectationFailed
            case .invalidOption, .invalidShape, .invalidElementType, .invalidValue, .nonFiniteValue,
                .conflictingFields, .duplicateID, .unknownRecipe, .invalidStep, .malformedImage,
                .unsupportedImage, .invalidSharedFile:
                .unprocessableContent
            case .sharedFileChanged: .conflict
            case .headersTooLarge: .requestHeaderFieldsTooLarge
            case .busy, .draining: .serviceUnavailable
            case .deadlineExceeded: .gatewayTimeout
            case .memoryBudgetExceeded, .sharedStorageFull:
                HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
            }
        }

        /// A short title for people, the same for every occurrence.
        package var title: String {
            switch self {
            case .malformedRequest: "The request is malformed"
            case .malformedJSON: "The body is not valid JSON"
            case .malformedSafetensors: "The body is not a valid safetensors file"
            case .malformedMultipart: "The body is not valid multipart/form-data"
            case .missingField: "A required field is missing"
            case .unknownField: "A field does not exist"
            case .unknownOption: "An option does not exist"
            case .invalidType: "A value has the wrong type"
            case .unauthorized: "A valid bearer token is required"
            case .forbidden: "Pages of other sites may not request this"
            case .notFound: "The path does not exist"
            case .methodNotAllowed: "The path does not support this method"
            case .requestTimeout: "The request arrived too slowly"
            case .bodyTooLarge: "The body is too large"
            case .imageTooLarge: "An image is too large"
            case .targetTooLong: "The request target is too long"
            case .unsupportedMediaType: "The body's media type is not supported"
            case .unsupportedEncoding: "The body's content encoding is not supported"
            case .expectationFailed: "The expectation cannot be met"
            case .invalidOption: "An option is outside its domain"
            case .invalidShape: "Shapes do not fit together"
            case .invalidElementType: "A tensor has the wrong element type"
            case .invalidValue: "A value is outside its domain"
            case .nonFiniteValue: "A number is not finite"
            case .conflictingFields: "Fields contradict each other"
            case .duplicateID: "Two items have the same id"
            case .unknownRecipe: "A recipe does not exist"
            case .invalidStep: "A perturbation step is invalid"
            case .malformedImage: "An image cannot be decoded"
            case .unsupportedImage: "An image is of an unsupported kind"
            case .invalidSharedFile: "A file in the shared directory cannot be used"
            case .sharedFileChanged: "A shared file changed while the server used it"
            case .sharedStorageFull: "The shared directory is full"
            case .headersTooLarge: "The header fields are too large"
            case .busy: "The server is busy"
            case .draining: "The server is shutting down"
            case .deadlineExceeded: "The answer was not ready in time"
            case .memoryBudgetExceeded: "The request does not fit the memory budget"
            }
        }
    }

    /// One reason, as precise as possible.
    package struct Reason: Sendable, Equatable {
        /// The field at fault: an option, a tensor, a JSON path, a part of a form.
        package var field: String?
        /// The indices of the element in the field.
        package var index: [Int]?
        /// The offset in the body.
        package var byte: Int?
        package var reason: String
        package var expected: String?
        package var found: String?

        package init(
            _ reason: String, field: String? = nil, index: [Int]? = nil, byte: Int? = nil,
            expected: String? = nil,
            found: String? = nil
        ) {
            self.field = field
            self.index = index
            self.byte = byte
            self.reason = reason
            self.expected = expected
            self.found = found
        }
    }

    package let kind: Kind
    /// The reasons, at least one. The first one leads the detail.
    package let reasons: [Reason]
    /// The limit that was exceeded, if the problem is about size.
    package let limit: Int?
    /// The name in `/v1/info` of the shared limit that was reached; `open_files` for that of `ulimit -n`.
    package let limitName: String?

    /// The number of reasons beyond those kept.
    private let unlisted: Int

    package init(
        _ kind: Kind, _ reasons: [Reason], unlisted: Int = 0, limit: Int? = nil, limitName: String? = nil
    ) {
        precondition(!reasons.isEmpty)
        self.kind = kind
        self.reasons = reasons.map(\.clipped)
        self.unlisted = unlisted
        self.limit = limit
        self.limitName = limitName
    }

    package init(_ kind: Kind, _ reason: Reason, limit: Int? = nil, limitName: String? = nil) {
        self.init(kind, [reason], limit: limit, limitName: limitName)
    }

    package init(_ kind: Kind, _ reason: String, field: String? = nil) {
        self.init(kind, Reason(reason, field: field))
    }

    func limited(to limit: Int) -> Problem {
        Problem(kind, reasons, unlisted: unlisted, limit: limit, limitName: limitName)
    }

    /// The largest number of reasons to list. The detail counts the rest.
    static let listedReasons = 20

    /// One sentence for people: the first reason, and the number of further ones.
    package var detail: String {
        let first = reasons[0]
        var text = ""
        if let field = first.field { text += field }
        if let index = first.index, !index.isEmpty {
            text += "[\(index.map(String.init).joined(separator: ", "))]"
        }
        if !text.isEmpty { text += ": " }
        text += first.reason
        if let expected = first.expected { text += "; expected \(expected)" }
        if let found = first.found { text += "; found \(found)" }
        if let byte = first.byte { text += " (byte \(byte))" }
        let others = reasons.count - 1 + unlisted
        if others > 0 { text += " – and \(others) more" }
        return text
    }

    package func response(requestID: String?) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", .string(kind.rawValue))
            writer.member("title", .string(kind.title))
            writer.member("status", .integer(Int64(kind.status.code)))
            writer.member("detail", .string(detail))
            if let requestID { writer.member("request_id", .string(requestID)) }
            writer.name("errors")
            writer.array { writer in
                for reason in reasons.prefix(Problem.listedReasons) { writer.value(reason.json) }
            }
            if let limit { writer.member("limit", .integer(Int64(limit))) }
            if let limitName { writer.member("limit_name", .string(limitName)) }
        }
        var response = Response(kind.status, contentType: "application/problem+json", body: writer.bytes)
        response.notes.problem = kind.rawValue
        return response
    }
}

extension Problem.Reason {
    /// Texts may repeat what the client sent, which may be as long as a body.
    fileprivate var clipped: Problem.Reason {
        Problem.Reason(
            reason.clipped(to: 512), field: field?.clipped(to: 512), index: index, byte: byte,
            expected: expected?.clipped(to: 512), found: found?.clipped(to: 512))
    }

    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let field { members.append(.init("field", .string(field))) }
        if let index { members.append(.init("index", .array(index.map { .integer(Int64($0)) }))) }
        if let byte { members.append(.init("byte", .integer(Int64(byte)))) }
        members.append(.init("reason", .string(reason)))
        if let expected { members.append(.init("expected", .string(expected))) }
        if let found { members.append(.init("found", .string(found))) }
        return .object(members)
    }
}
