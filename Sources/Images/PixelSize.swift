/// Width and height in pixels.
package struct PixelSize: Sendable, Equatable, CustomStringConvertible {
    package let width: Int
    package let height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// width × height, saturated, because a header may declare sides with a product above Int.max.
    package var pixelCount: Int {
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? .max : product
    }

    package var description: String { "\(width) × \(height)" }
}
