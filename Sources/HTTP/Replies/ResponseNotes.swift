/// What an endpoint wants an observer of the exchange to know of its answer. Nothing of it is sent.
package struct ResponseNotes: Sendable {
    /// How long the endpoint's own phases took, in the order in which they ended.
    package var phases: [(name: String, duration: Duration)] = []
    /// The stable word of the problem that the answer reports.
    package var problem: String?

    package init() {}
}
