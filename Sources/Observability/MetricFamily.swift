/// One metric: its name, meaning and labels (Prometheus data model).
package struct MetricFamily: Sendable {
    package enum Kind: Sendable {
        case counter
        case gauge
        /// Upper bounds, ascending; +Inf is implied.
        case histogram(buckets: [Double])
    }

    package let name: String
    package let help: String
    package let kind: Kind
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, labels: [String] = [], help: String) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }
}
