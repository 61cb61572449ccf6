import HTTP

/// The sink of requests without a body. It refuses a body at its first byte.
final class AbsentBody: BodySink {
    private let requestID: String
    private let reason: Problem.Reason
    private let completion: (RequestScope) -> Outcome

    /// - Parameter reason: the reason to give for refusing a body.
    init(for head: RequestHead, reason: Problem.Reason, completion: @escaping (RequestScope) -> Outcome) {
        requestID = head.requestID
        self.reason = reason
        self.completion = completion
    }

    func receive(_ piece: RawSpan) -> Response? {
        Problem(.conflictingFields, reason).response(requestID: requestID)
    }

    func finish(_ scope: RequestScope) -> Outcome { completion(scope) }
}
