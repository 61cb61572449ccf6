/// One value for each distribution that an anchor's is compared with: one or two.
package struct PerReference<Value> {
    package var first: Value
    /// Nil where there is one reference only.
    package var second: Value?

    package init(_ first: Value, _ second: Value? = nil) {
        self.first = first
        self.second = second
    }

    package func map<Result>(_ body: (Value) -> Result) -> PerReference<Result> {
        PerReference<Result>(body(first), second.map(body))
    }
}

extension PerReference: Sendable where Value: Sendable {}
extension PerReference: Equatable where Value: Equatable {}
