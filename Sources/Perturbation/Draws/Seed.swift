/// What makes a draw repeatable: an integer from 0 to 2⁶³ − 1.
package struct Seed: Sendable, Equatable {
    package let value: Int64

    /// Nil if negative.
    package init?(_ value: Int64) {
        guard value >= 0 else { return nil }
        self.value = value
    }
}

/// The picture of a batch for which a draw is made: its id, or its decimal index if it has none. A picture keeps its
/// draw whatever its neighbours are.
package struct ImageKey: Sendable, Equatable {
    package let text: String

    package init(id: String) { text = id }
    package init(index: Int) { text = String(index) }
}
