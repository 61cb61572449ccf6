internal import Glibc

/// The standard normal distribution as 65,536 equally likely values: Φ⁻¹((k + ½) / 65,536) for k = 0 … 65,535, each
/// rounded to a multiple of 2⁻²⁰ and so exact in Float32.
///
/// The table is part of the service's contract and does not depend on how it is computed: every value is at least
/// 1.8e-11 from the midpoint of two multiples, 10,000 times the error of any quantile function in Double. In Python:
///
///     [round(statistics.NormalDist().inv_cdf((k + .5) / 65536) * 2**20) / 2**20 for k in range(65536)]
///
/// Its mean is 0, its variance 0.99998, its largest value 4.3249.
enum NormalQuantiles {
    static let table: [Float] = {
        var upper: [Float] = []
        var quantile = 0.0
        for place in 0..<32768 {
            // Computed for the upper half, where the tail keeps all its digits.
            let tail = (32767.5 - Double(place)) / 65536
            quantile = refined(quantile, tail: tail)
            upper.append(Float((quantile * 1_048_576).rounded() / 1_048_576))
        }
        return upper.reversed().map { -$0 } + upper
    }()

    /// Newton's method for 1 − Φ(x) = tail, starting slightly below the solution. It converges without overshooting
    /// far, and stops when a step no longer changes x.
    private static func refined(_ start: Double, tail: Double) -> Double {
        var x = start
        for _ in 0..<60 {
            let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            let step = (erfc(x / 2.0.squareRoot()) / 2 - tail) / density
            x += step
            if step.magnitude <= 1e-15 * max(1, x) { break }
        }
        return x
    }
}

/// Values of `NormalQuantiles.table` by a seed: each word of the seed's stream gives four, by its 16-bit quarters,
/// lowest first. In NumPy `table[words.view("<u2")]`.
struct NormalStream {
    private var stream: RandomStream
    private var word: UInt64 = 0
    private var left = 0

    init(seed: Int64) { stream = RandomStream(seed: UInt64(seed)) }

    mutating func nextIndex() -> Int {
        if left == 0 {
            word = stream.word()
            left = 4
        }
        defer {
            word >>= 16
            left -= 1
        }
        return Int(UInt16(truncatingIfNeeded: word))
    }
}
