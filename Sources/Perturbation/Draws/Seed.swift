/// What makes a draw repeatable: an integer from 0 to 2⁶³ − 1.
package struct Seed: Sendable, Equatable {
    package let value: Int64

    /// nil when negative.
    package init?(_ value: Int64) {
        guard value >= 0 else { return nil }
        self.value = value
    }
}

/// Which picture of a batch a draw is for: its id, or, when it has none, its index written in decimal. A picture
/// keeps its draw whatever its neighbours are.
package struct ImageKey: Sendable, Equatable {
    package let text: String

    package init(id: String) { text = id }
    package init(index: Int) { text = String(index) }
}
