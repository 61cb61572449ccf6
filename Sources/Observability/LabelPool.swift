import Locking

/// Bounds how many values a label takes when clients choose them: a series is kept for each, for ever.
package final class LabelPool: Sendable {
    /// What all further values are counted under.
    package static let overflow = "other"

    private let limit: Int
    private let known = Monitor<Set<String>>([])

    /// - Parameter limit: values that are kept apart; those that come first.
    package init(limit: Int) { self.limit = limit }

    /// The value itself while there is room for it, else ``overflow``.
    package func label(_ value: String) -> String {
        if value == LabelPool.overflow { return value }
        return known.withLock { known in
            if known.contains(value) { return value }
            guard known.count < limit else { return LabelPool.overflow }
            known.insert(value)
            return value
        }
    }
}
