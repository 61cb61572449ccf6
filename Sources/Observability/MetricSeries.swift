import Synchronization

/// One line of a counter or gauge, or all lines of a histogram, for one combination of label values.
///
/// Lock-free: every thread adds to the same numbers, and no addition is lost. A counter is a Double, so that counts are
/// exact up to 2⁵³ and sums of measurements need no other type.
package final class MetricSeries: Sendable {
    private let sum = Adder()
    /// One for each bound, and one for what is above the last.
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

    /// Puts a value into a histogram.
    package func observe(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        sum.add(value)
    }

    /// A counter's or gauge's number, a histogram's sum.
    var value: Double { sum.value }

    /// As Prometheus has them: how many were at most as large as each bound, and all. The count is this list's last and
    /// no number of its own, so that both always agree, even while values arrive.
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
