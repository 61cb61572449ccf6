import Locking

/// The latest results of a function of one argument. Trainers send the same options with every batch.
final class RecentResults<Argument: Equatable & Sendable, Result: Sendable>: Sendable {
    private let entries = Monitor<[(argument: Argument, result: Result)]>([])
    private let limit: Int

    init(limit: Int = 8) { self.limit = limit }

    /// The result for this argument; nil if it is not among the recent ones.
    /// - Complexity: O(limit) comparisons
    subscript(argument: Argument) -> Result? {
        entries.withLock { entries in entries.first { $0.argument == argument }?.result }
    }

    /// Keeps a result. If the limit is reached, it replaces the oldest.
    func keep(_ result: Result, of argument: Argument) {
        entries.withLock { entries in
            if entries.contains(where: { $0.argument == argument }) { return }
            if entries.count == limit { entries.removeFirst() }
            entries.append((argument, result))
        }
    }
}
