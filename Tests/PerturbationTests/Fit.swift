import Glibc

/// Tests of fit at a significance of 0.001: with fixed seeds each passes or fails for ever, and of a thousand honest
/// generators one would fail.
enum Fit {
    /// Pearson's χ² of counts that should be equal, over its critical value (Wilson and Hilferty's approximation): above
    /// 1 where they are not.
    static func uniformity(of counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        let chiSquare = counts.reduce(0) { $0 + pow(Double($1) - expected, 2) / expected }
        let freedom = Double(counts.count - 1)
        let root = 1 - 2 / (9 * freedom) + 3.0902 * (2 / (9 * freedom)).squareRoot()
        return chiSquare / (freedom * root * root * root)
    }

    /// Kolmogorov and Smirnov's √n · D of values against a distribution function, over its critical value 1.9495.
    static func distance(of values: [Double], to distribution: (Double) -> Double) -> Double {
        let sorted = values.sorted()
        let count = Double(sorted.count)
        let largest = sorted.enumerated().map { place, value in
            let share = distribution(value)
            return max(share - Double(place) / count, Double(place + 1) / count - share)
        }.max()
        return (largest ?? 1) * count.squareRoot() / 1.9495
    }

    /// How many standard errors the mean of `count` values lies from what it should be, over 3.29.
    static func shift(of mean: Double, from expected: Double, deviation: Double, count: Int) -> Double {
        (mean - expected).magnitude / (deviation / Double(count).squareRoot()) / 3.2905
    }

    /// Φ, the standard normal distribution function.
    static func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
}

extension [Double] {
    var mean: Double { reduce(0, +) / Double(count) }

    /// With n in the denominator.
    var deviation: Double {
        let mean = mean
        return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
    }
}
