import Synchronization

/// A counter, gauge or histogram for one combination of label values.
///
/// It is lock-free: all threads add to the same numbers, and no addition is lost. A counter is a Double. Counts are
/// exact up to 2⁵³, and sums of measurements need no other type.
package final class MetricSeries: Sendable {
    private let sum = Adder()
    /// A count for each bound, and one for values above the last.
    private let buckets: [Tally]
    private let bounds: [Double]

    init(_ kind: MetricFamily.Kind) {
        bounds = if case .histogram(let bounds) = kind { bounds } else { [] }
        buckets = if case .histogram = kind { (0...bounds.count).map { _ in Tally() } } else { [] }
    }

    /// Adds to a counter or gauge.
    package func add(_ amount: Double) { sum.add(amount) }

    /// Sets a gauge.
    package func set(_ value: Double) { sum.set(value) }

    /// Adds a value to a histogram.
    package func observe(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        sum.add(value)
    }

    /// The number of a counter or gauge, or the sum of a histogram.
    var value: Double { sum.value }

    /// The cumulative counts of Prometheus: the values up to each bound, then all values. The total count is the last
    /// element, not a separate number, so both agree even while values arrive.
    var cumulative: [Int] {
        var total = 0
        return buckets.map { bucket in
            total += bucket.count
            return total
        }
    }
}

/// A Double that threads add to.
private final class Adder: Sendable {
    private let bits = Atomic(Double.zero.bitPattern)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: seen) + amount
            let (exchanged, original) = bits.weakCompareExchange(
                expected: seen, desired: sum.bitPattern, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }
}

private final class Tally: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }

    func add() { value.wrappingAdd(1, ordering: .relaxed) }
}
