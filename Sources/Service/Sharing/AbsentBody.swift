import HTTP

/// For requests that say everything in their head: a body is refused at its first byte.
final class AbsentBody: BodySink {
    private let requestID: String
    private let completion: (RequestScope) -> Outcome

    init(for head: RequestHead, completion: @escaping (RequestScope) -> Outcome) {
        requestID = head.requestID
        self.completion = completion
    }

    func receive(_ piece: RawSpan) -> Response? {
        Problem(
            .conflictingFields, "the tensors are in the file that is named; there must be no body",
            field: SharedNames.inputParameter
        ).response(requestID: requestID)
    }

    func finish(_ scope: RequestScope) -> Outcome { completion(scope) }
}
