import Locking

/// Holds the series of a closed list of families and writes them as Prometheus text.
///
/// Label values must come from closed or bounded lists (routes, statuses, presets, ``LabelPool``): each combination is
/// kept permanently.
package final class MetricRegistry: Sendable {
    private let families: [MetricFamily]
    private let series: Monitor<[String: [[String]: MetricSeries]]>

    package init(_ families: [MetricFamily]) {
        self.families = families
        var initial: [String: [[String]: MetricSeries]] = [:]
        for family in families {
            precondition(initial[family.name] == nil, "\(family.name) stands twice")
            // Families without labels are present from the start, at 0.
            initial[family.name] = family.labels.isEmpty ? [[]: MetricSeries(family.kind)] : [:]
        }
        series = Monitor(initial)
    }

    /// Returns the series with these label values, created at 0 if it is new. Callers that count often should keep it:
    /// finding it acquires a lock, adding to it does not.
    package func series(of family: MetricFamily, _ labels: [String] = []) -> MetricSeries {
        precondition(labels.count == family.labels.count)
        return series.withLock { all in
            guard let known = all[family.name] else {
                preconditionFailure("\(family.name) is not registered")
            }
            if let one = known[labels] { return one }
            let new = MetricSeries(family.kind)
            all[family.name]?[labels] = new
            return new
        }
    }

    /// Returns the Prometheus text exposition format 0.0.4. Families appear as registered, series in a stable order.
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
                    let counts = one.cumulative
                    for (bound, count) in zip(bounds.map(number) + ["+Inf"], counts) {
                        text += "\(family.name)_bucket\(braced(pairs + ["le=\"\(bound)\""])) \(count)\n"
                    }
                    text += "\(family.name)_sum\(braced(pairs)) \(number(one.value))\n"
                    text += "\(family.name)_count\(braced(pairs)) \(counts[bounds.count])\n"
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

/// Escapes backslash, quote and line feed, as the format requires in label values.
private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
