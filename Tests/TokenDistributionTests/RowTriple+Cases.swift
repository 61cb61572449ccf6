import TestMaterial

extension RowTriple {
    /// Random rows, near-equal ones, and those that break sums.
    static let all: [RowTriple] = {
        var triples: [RowTriple] = []
        var random = SeededGenerator(seed: 41)
        func row(_ length: Int, _ spread: Float) -> [Float] {
            (0..<length).map { _ in Float.random(in: -spread...spread, using: &random) }
        }
        for length in Array(1...9) + [15, 16, 17, 64, 1031] {
            triples.append(RowTriple("random, \(length)", row(length, 6), row(length, 6), row(length, 6)))
        }
        for length in [3, 16, 75] {
            func add(_ name: String, _ a: [Float], _ p: [Float], _ n: [Float]) {
                triples.append(RowTriple("\(name), \(length)", a, p, n))
            }
            func same(_ value: Float) -> [Float] { [Float](repeating: value, count: length) }
            let base = row(length, 8)
            func near(_ distance: Float) -> [Float] { zip(base, row(length, distance)).map(+) }
            add("equal", base, base, base)
            for distance in [1e-2, 1e-6] as [Float] {
                add("nearer than \(distance)", base, near(distance), near(distance))
                add(
                    "nearer than \(distance) but shifted", base, near(distance).map { $0 + 64 },
                    near(distance).map { $0 - 512 })
            }
            add("sharp", row(length, 60), row(length, 60), row(length, 60))
            add("flat", same(0), same(7.25), same(-1e4))
            add("huge", same(.greatestFiniteMagnitude), same(1e30), same(-.greatestFiniteMagnitude))
            add("denormal", same(.leastNonzeroMagnitude), same(0x1p-140), same(0))
            func peak(_ place: Int, _ height: Float, _ rest: Float) -> [Float] {
                (0..<length).map { $0 == place ? height : rest }
            }
            add("one huge", peak(0, 1e4, 0), peak(length - 1, 1e4, 0), peak(0, 1e4, 1))
            add("certain", peak(1, 0, -.infinity), peak(1, 5, -3), peak(1, 100, -1e4))
            add("extremes", peak(1, 3e38, -3e38), peak(0, 3e38, -3e38), peak(1, 3e38, 0))
            add(
                "±1e4", (0..<length).map { $0 % 2 == 0 ? 1e4 : -1e4 }, base,
                (0..<length).map { $0 % 2 == 0 ? -1e4 : 1e4 })
            func without(_ row: [Float], _ isGone: (Int) -> Bool) -> [Float] {
                row.indices.map { isGone($0) ? -.infinity : row[$0] }
            }
            add(
                "the same tokens impossible", without(base) { $0 % 3 == 0 }, without(near(1)) { $0 % 3 == 0 },
                without(near(2)) { $0 % 3 == 0 })
            add("tokens impossible for the anchor only", without(base) { $0 % 3 == 0 }, near(1), near(2))
            add("tokens impossible for the second only", base, near(1), without(near(2)) { $0 == length - 1 })
            add(
                "tokens impossible for each", without(base) { $0 == 0 }, without(near(1)) { $0 == 1 },
                without(near(2)) { $0 == 2 })
            add(
                "impossible until late", without(base) { $0 < length - 1 },
                without(near(1)) { $0 < length - 2 }, near(2))
            // Just above and below where a probability is a number other than 0.
            for depth in [-700, -744, -750, -2000] as [Float] {
                add("no mass at \(depth)", peak(0, depth, 0), peak(0, -.infinity, 0), peak(0, 0, 0))
            }
        }
        return triples
    }()
}
