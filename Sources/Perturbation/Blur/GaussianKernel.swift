internal import Glibc

/// The weights of a Gaussian in Float32, computed operation for operation as in the two references, so that they are
/// equal to the last bit. The exception is the exponential, which is computed in Double and rounded, the same
/// everywhere. PyTorch's Float32 exponential is wrong by one unit in the last place for one kernel in twenty.
enum GaussianKernel {
    /// The CPPO references' blur: exp(−x² / 2σ²), normalised.
    static func reference(size: Int, sigma: Double) -> [Float] {
        normalised(offsets(size).map { exponential(-($0 * $0) / Float(2 * sigma * sigma)) })
    }

    /// torchvision's `_get_gaussian_kernel1d`: exp(−½ (x / σ)²), normalised.
    static func torchvision(size: Int, sigma: Double) -> [Float] {
        normalised(
            offsets(size).map { offset in
                let scaled = offset / Float(sigma)
                return exponential(-0.5 * (scaled * scaled))
            })
    }

    private static func offsets(_ size: Int) -> [Float] { (0..<size).map { Float($0 - size / 2) } }

    private static func exponential(_ value: Float) -> Float { Float(exp(Double(value))) }

    private static func normalised(_ weights: [Float]) -> [Float] {
        let sum = torchSum(weights)
        return weights.map { $0 / sum }
    }

    /// PyTorch's sum of a contiguous row on AVX2 (its cascade sum): from eight values on in vectors of eight, four
    /// running sums at a time. The order of additions determines the last bit.
    private static func torchSum(_ values: [Float]) -> Float {
        let lanes = values.count < 8 ? 1 : 8
        let vectors = values.count / lanes
        var sums = [Float](repeating: 0, count: 4 * lanes)
        for vector in 0..<vectors {
            let into = vector < vectors / 4 * 4 ? vector % 4 : 0
            for lane in 0..<lanes { sums[into * lanes + lane] += values[vector * lanes + lane] }
        }
        for row in 1..<4 {
            for lane in 0..<lanes { sums[lane] += sums[row * lanes + lane] }
        }
        var total: Float = values[(vectors * lanes)...].reduce(0, +)
        for lane in 0..<lanes { total += sums[lane] }
        return total
    }
}
