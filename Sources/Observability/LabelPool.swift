import Locking

/// Bounds the values of a label that clients choose, because each value adds a series permanently.
package final class LabelPool: Sendable {
    /// The value that replaces all further ones.
    package static let overflow = "other"

    private let limit: Int
    private let known = Monitor<Set<String>>([])

    /// - Parameter limit: the number of distinct values. The first ones count.
    package init(limit: Int) { self.limit = limit }

    /// Returns the value while the pool has a place for it, otherwise ``overflow``.
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
