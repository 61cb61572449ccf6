internal import Images

/// The results of a blur on one pixel among others that are all equal, at a corner and in the middle of a picture,
/// computed in the kernels' order.
///
/// A pixel's neighbours change it most if it is at one end of the levels and they are all at the other. Therefore a
/// blur that leaves these unchanged leaves every picture of that size unchanged.
struct BlurredLevels {
    private let weights: [Float]
    private let isInUnits: Bool
    private let size: PixelSize

    init(_ blur: GaussianBlur, _ size: PixelSize) {
        isInUnits = blur.padding == .zeros
        weights =
            isInUnits
            ? GaussianKernel.reference(size: blur.kernelSize, sigma: blur.sigma)
            : GaussianKernel.torchvision(size: blur.kernelSize, sigma: blur.sigma)
        self.size = size
    }

    /// The cost is at most a few thousand times the kernel's size, and much less if something changes.
    var areUnchanged: Bool {
        for (column, row) in [(0, 0), (size.width / 2, size.height / 2)] {
            let across = roles(of: column, among: size.width)
            let down = roles(of: row, among: size.height)
            for level in (0...255).reversed() {
                for others in [0, 255, level] where blurred(level, others, across, down) != level {
                    return false
                }
            }
        }
        return true
    }

    private enum Role {
        case pixel, other, outside
    }

    /// The level that each weight meets along one axis.
    private func roles(of place: Int, among count: Int) -> [Role] {
        let radius = weights.count / 2
        return weights.indices.map { index in
            var neighbour = place + index - radius
            if !(0..<count).contains(neighbour) {
                if isInUnits { return .outside }
                neighbour = neighbour < 0 ? -neighbour : 2 * (count - 1) - neighbour
            }
            return neighbour == place ? .pixel : .other
        }
    }

    private func blurred(_ level: Int, _ others: Int, _ across: [Role], _ down: [Role]) -> Int {
        let unit: Float = isInUnits ? 255 : 1
        let (pixel, other) = (Float(level) / unit, Float(others) / unit)
        let column = sum(down, pixel, other)
        let neighbour = sum(down, other, other)
        let result = sum(across, column, neighbour)
        guard isInUnits else { return Int(min(max(result.rounded(.toNearestOrEven), 0), 255)) }
        return Int(min(max(result, 0), 1) * 255)
    }

    private func sum(_ roles: [Role], _ pixel: Float, _ other: Float) -> Float {
        var sum: Float = 0
        for (role, weight) in zip(roles, weights) {
            switch role {
            case .pixel: sum += pixel * weight
            case .other: sum += other * weight
            case .outside: break
            }
        }
        return sum
    }
}
