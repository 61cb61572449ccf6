/// How long work on pictures takes, as far as its plan says.
///
/// It decides which threads do the work and in what order, so it need not be exact: a factor of two does no harm.
struct WorkCost: Sendable, Equatable {
    /// Each a quarter of a nanosecond on one core; see ``WorkDemand/operations``.
    var operations: Int

    private static let perSecond = 4e9
    /// Up to here work is short: 64 ms. Threads that do short work never take longer one.
    private static let mostOfShort = 256_000_000

    var isShort: Bool { operations <= Self.mostOfShort }

    /// On one core.
    var expected: Duration { .seconds(Double(operations) / Self.perSecond) }

    /// Of one of so many equal parts.
    func part(of count: Int) -> WorkCost { WorkCost(operations: operations / max(1, count)) }
}
