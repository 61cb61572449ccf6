/// The three forward passes over the same tokens; only the pixels differ.
package enum View: String, Sendable, CaseIterable {
    /// I, the anchor.
    case original
    /// I⁺, information-preserving, the positive.
    case preserving
    /// I⁻, information-removing, the negative.
    case removing
}

/// One value for each view.
package struct PerView<Value: Sendable>: Sendable {
    package var original: Value
    package var preserving: Value
    package var removing: Value

    package init(original: Value, preserving: Value, removing: Value) {
        self.original = original
        self.preserving = preserving
        self.removing = removing
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
