import Glibc
import Images
import JSON
import Testing

@testable import Perturbation

@Suite("Noise is as normal as said")
struct NoiseTests {
    @Test("The table of quantiles is Φ⁻¹, rounded, and odd")
    func quantiles() {
        let table = NormalQuantiles.table.map(Double.init)
        #expect(table.count == 65536)
        for place in table.indices {
            #expect(table[place] == -table[65535 - place])
            #expect(table[place] * 1_048_576 == (table[place] * 1_048_576).rounded())
        }
        // Each value's share is within its place: half of the last digit moves Φ by at most 2e-7.
        let isClose = table.indices.allSatisfy {
            (Fit.normal(table[$0]) - (Double($0) + 0.5) / 65536).magnitude < 2e-7
        }
        #expect(isClose)
        #expect(table.mean == 0 && (table.deviation * table.deviation - 0.99998).magnitude < 1e-5)
    }

    @Test("A seed's normal stream fits the normal distribution, neighbours are independent")
    func stream() {
        var stream = NormalStream(seed: 11)
        let values = (0..<40_000).map { _ in Double(NormalQuantiles.table[stream.nextIndex()]) }
        #expect(Fit.distance(of: values, to: Fit.normal) < 1)
        for lag in 1...4 {
            let products = zip(values, values.dropFirst(lag)).map { $0 * $1 }
            #expect(Fit.shift(of: products.mean, from: 0, deviation: 1, count: products.count) < 1)
        }
    }

    @Test("The schedule's coefficients are the published ones")
    func coefficients() {
        let known: [(Int, Float, Float)] = [
            (450, 0.91074, 0.41299), (500, 0.86302, 0.50518), (900, 0.36489, 0.93105),
        ]
        for (t, signal, noise) in known {
            let found = DiffusionNoise.coefficients[t]
            #expect((found.signal - signal).magnitude < 6e-6 && (found.noise - noise).magnitude < 6e-6)
        }
        // β_t adds up from 2.2e-5 to 5e-3, so that the signal falls and the noise grows.
        let pairs = zip(DiffusionNoise.coefficients, DiffusionNoise.coefficients.dropFirst())
        #expect(pairs.allSatisfy { $0.signal > $1.signal && $0.noise < $1.noise })
    }

    /// Mean and deviation of what a level becomes, from the formula: P(out ≥ k) = Φ((√ᾱ v / 255 − k / 255) / √(1 − ᾱ)).
    private static func moments(level: Double, t: Int) -> (mean: Double, deviation: Double) {
        var kept = 1.0
        for index in 0...t {
            kept *= 1 - (1 / (1 + exp(6 - 12 * Double(index) / 999)) * (0.005 - 1e-5) + 1e-5)
        }
        var (first, second) = (0.0, 0.0)
        for k in 1...255 {
            let share = Fit.normal(
                (kept.squareRoot() * level - Double(k)) / 255 / (1 - kept).squareRoot())
            first += share
            second += Double(2 * k - 1) * share
        }
        return (first, (second - first * first).squareRoot())
    }

    @Test(
        "Diffusion noise has the mean and the variance of its step",
        arguments: [100, 200, 300, 450, 500, 700, 900, 999])
    func diffusion(_ t: Int) throws {
        for level in [30, 128, 220] as [UInt8] {
            let image = PixelImage(
                width: 80, height: 80, samples: [UInt8](repeating: level, count: 80 * 80 * 3))
            let step = try StepCatalogue.step(
                from: [
                    "step": "diffusion_noise", "t": .integer(Int64(t)),
                    "noise_seed": .integer(Int64(t) + Int64(level)),
                ])
            let values = try step.apply(to: image).samples.map(Double.init)
            let (mean, deviation) = Self.moments(level: Double(level), t: t)
            #expect(Fit.shift(of: values.mean, from: mean, deviation: deviation, count: values.count) < 1)
            // The variance of a variance is below 2 σ⁴ / n for what is clipped to a range.
            let error = (values.deviation * values.deviation / (deviation * deviation) - 1).magnitude
            #expect(error < 3.29 * (2 / Double(values.count)).squareRoot())
        }
    }

    @Test("Gaussian noise has no mean and its own deviation")
    func gaussian() throws {
        let image = PixelImage(width: 100, height: 100, samples: [UInt8](repeating: 128, count: 30_000))
        for sigma in [1.0, 10, 30] {
            let step = try StepCatalogue.step(
                from: ["step": "gaussian_noise", "sigma": .number(sigma), "noise_seed": 5])
            let values = try step.apply(to: image).samples.map { Double($0) - 128 }
            // Rounding to whole levels adds a twelfth to the variance.
            let deviation = (sigma * sigma + 1.0 / 12).squareRoot()
            #expect(Fit.shift(of: values.mean, from: 0, deviation: deviation, count: values.count) < 1)
            #expect(
                (values.deviation / deviation - 1).magnitude < 3.29 / (2 * Double(values.count)).squareRoot())
        }
    }
}
