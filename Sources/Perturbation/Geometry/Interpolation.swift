internal import Images

/// The method of sampling a picture between its pixels.
enum Interpolation: String, Sendable, CaseIterable {
    case nearest, bilinear
}

extension Interpolation {
    /// Returns the demand of a picture of this size that is sampled from another. Most of a turned or moved strip lies
    /// outside, which costs little.
    func demand(for size: PixelSize) -> WorkDemand {
        let isStrip = min(size.width, size.height) < 32
        return switch self {
        case .bilinear: .picture(size, operations: 20, perRow: 14)
        case .nearest: .picture(size, operations: isStrip ? 12 : 10, perRow: 40)
        }
    }
}
