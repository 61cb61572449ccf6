/// One of the three forward passes over the same tokens. Only their pixels differ.
package enum View: String, Sendable, CaseIterable {
    /// I, the original image.
    case original
    /// I⁺, the information-preserving image: the positive.
    case preserving
    /// I⁻, the information-removing image: the negative.
    case removing

    /// The index of the case: 0, 1 or 2.
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

    /// Creates the value for each view by calling `body`.
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
