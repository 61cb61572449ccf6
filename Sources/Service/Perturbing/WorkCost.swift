/// The duration of work on pictures, as estimated by its plan.
///
/// It determines which threads do the work and in which order. An error by a factor of two does no harm.
struct WorkCost: Sendable, Equatable {
    /// The number of operations, each a quarter of a nanosecond on one core; see ``WorkDemand/operations``.
    var operations: Int

    private static let perSecond = 4e9
    /// The limit of short work: 64 ms. Threads for short work never do longer work.
    private static let mostOfShort = 256_000_000

    var isShort: Bool { operations <= Self.mostOfShort }

    /// The duration on one core.
    var expected: Duration { .seconds(Double(operations) / Self.perSecond) }

    /// Returns the cost of one of `count` equal shares.
    func part(of count: Int) -> WorkCost { WorkCost(operations: operations / max(1, count)) }
}
