/// The three forward passes over the same tokens; only the pixels differ.
package enum View: String, Sendable, CaseIterable {
    /// I.
    case original
    /// I⁺, information-preserving, the positive.
    case preserving
    /// I⁻, information-removing, the negative.
    case removing

    /// Where it stands among the cases: 0, 1 or 2.
    package var index: Int {
        switch self {
        case .original: 0
        case .preserving: 1
        case .removing: 2
        }
    }
}

/// One value for each view.
package struct PerView<Value> {
    package var original: Value
    package var preserving: Value
    package var removing: Value

    package init(original: Value, preserving: Value, removing: Value) {
        self.original = original
        self.preserving = preserving
        self.removing = removing
    }

    package init(repeating value: Value) {
        self.init(original: value, preserving: value, removing: value)
    }

    /// The value that `body` makes for each view.
    package init<Failure: Error>(_ body: (View) throws(Failure) -> Value) throws(Failure) {
        self.init(
            original: try body(.original), preserving: try body(.preserving), removing: try body(.removing))
    }

    package subscript(view: View) -> Value {
        get {
            switch view {
            case .original: original
            case .preserving: preserving
            case .removing: removing
            }
        }
        set {
            switch view {
            case .original: original = newValue
            case .preserving: preserving = newValue
            case .removing: removing = newValue
            }
        }
    }
}

extension PerView: Equatable where Value: Equatable {}
extension PerView: Sendable where Value: Sendable {}
