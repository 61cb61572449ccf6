internal import Images

/// How a picture is sampled between its pixels.
enum Interpolation: String, Sendable, CaseIterable {
    case nearest, bilinear
}

extension Interpolation {
    /// What a picture of this size takes whose every pixel comes from somewhere in another. Of a strip that is turned or moved
    /// most lies outside, which costs little.
    func demand(for size: PixelSize) -> WorkDemand {
        let isStrip = min(size.width, size.height) < 32
        return switch self {
        case .bilinear: .picture(size, operations: 20, perRow: 14)
        case .nearest: .picture(size, operations: isStrip ? 12 : 10, perRow: 40)
        }
    }
}
