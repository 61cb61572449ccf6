/// Rounding in decimal digits.
enum Decimals {
    /// Python's `round(value, 15)` for |value| ≤ 1: the multiple of 10⁻¹⁵ nearest to the exact binary value, ties to
    /// even, as the nearest Double.
    ///
    /// value · 10¹⁵ is split into a Double and the exact rest of the product, so that ties are recognised as Python's
    /// correctly rounded conversion does; k and 10¹⁵ are integers below 2⁵³, so that one division rounds correctly.
    static func rounded15(_ value: Double) -> Double {
        let scale = 1e15
        let product = value * scale
        let rest = (-product).addingProduct(value, scale)
        var rounded = product.rounded(.toNearestOrEven)
        if (product - product.rounded(.down)) == 0.5, rest != 0 {
            rounded = rest > 0 ? product.rounded(.up) : product.rounded(.down)
        }
        return rounded / scale
    }
}
