/// Notes on an answer from its endpoint to the observer of the exchange. They are not sent.
package struct ResponseNotes: Sendable {
    /// The durations of the endpoint's own phases, in the order in which they ended.
    package var phases: [(name: String, duration: Duration)] = []
    /// The `type` of the problem that the answer reports.
    package var problem: String?

    package init() {}
}
