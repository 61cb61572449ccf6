import Synchronization

/// Holds the series of a closed list of families and writes them as Prometheus text.
///
/// Label values must come from closed lists (routes, statuses, presets): each combination is kept for ever.
package final class MetricRegistry: Sendable {
    private struct Series: Sendable {
        var value = 0.0
        var count = 0
        var buckets: [Int] = []
    }

    private let families: [MetricFamily]
    private let series: Mutex<[String: [[String]: Series]]>

    package init(_ families: [MetricFamily]) {
        self.families = families
        // Families without labels are present from the start, at 0.
        var initial: [String: [[String]: Series]] = [:]
        for family in families { initial[family.name] = family.labels.isEmpty ? [[]: Series()] : [:] }
        series = Mutex(initial)
    }

    /// Adds to a counter or gauge.
    package func add(_ value: Double, to family: MetricFamily, _ labels: [String] = []) {
        precondition(labels.count == family.labels.count)
        series.withLock { $0[family.name, default: [:]][labels, default: Series()].value += value }
    }

    /// Sets a gauge.
    package func set(_ value: Double, of family: MetricFamily, _ labels: [String] = []) {
        precondition(labels.count == family.labels.count)
        series.withLock { $0[family.name, default: [:]][labels, default: Series()].value = value }
    }

    /// Puts a value into a histogram.
    package func observe(_ value: Double, in family: MetricFamily, _ labels: [String] = []) {
        guard case .histogram(let bounds) = family.kind else {
            preconditionFailure("\(family.name) is no histogram")
        }
        precondition(labels.count == family.labels.count)
        series.withLock { all in
            var one = all[family.name]?[labels] ?? Series()
            if one.buckets.isEmpty { one.buckets = [Int](repeating: 0, count: bounds.count) }
            one.value += value
            one.count += 1
            if let index = bounds.firstIndex(where: { value <= $0 }) { one.buckets[index] += 1 }
            all[family.name, default: [:]][labels] = one
        }
    }

    /// Prometheus text exposition format 0.0.4; series in a stable order.
    package var text: String {
        let snapshot = series.withLock { $0 }
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.word)\n"
            let ordered = (snapshot[family.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (labels, one) in ordered {
                let pairs = zip(family.labels, labels).map { "\($0)=\"\(escaped($1))\"" }
                switch family.kind {
                case .counter, .gauge: text += "\(family.name)\(braced(pairs)) \(number(one.value))\n"
                case .histogram(let bounds):
                    var cumulative = 0
                    for (index, bound) in bounds.enumerated() {
                        cumulative += one.buckets.isEmpty ? 0 : one.buckets[index]
                        text +=
                            "\(family.name)_bucket\(braced(pairs + ["le=\"\(number(bound))\""])) \(cumulative)\n"
                    }
                    text += "\(family.name)_bucket\(braced(pairs + ["le=\"+Inf\""])) \(one.count)\n"
                    text += "\(family.name)_sum\(braced(pairs)) \(number(one.value))\n"
                    text += "\(family.name)_count\(braced(pairs)) \(one.count)\n"
                }
            }
        }
        return text
    }
}

extension MetricFamily.Kind {
    fileprivate var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

private func braced(_ pairs: [String]) -> String { pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}" }

private func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : value.description
}

/// Backslash, quote and line feed are the characters the format escapes in label values.
private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
        switch character {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.append(character)
        }
    }
    return result
}
