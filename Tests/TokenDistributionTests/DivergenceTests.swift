import Glibc
import TestMaterial
import Testing
import TokenDistribution

@Suite("Divergences over the vocabulary")
struct DivergenceTests {
    static let pairs: [([Double], [Double])] = {
        var random = SeededGenerator(seed: 7)
        func logits(_ count: Int, _ spread: Double) -> [Double] {
            (0..<count).map { _ in Double.random(in: -spread...spread, using: &random) }
        }
        return [1, 2, 3, 17, 100].flatMap { count in
            [0.01, 1, 8].map { (logits(count, $0), logits(count, $0)) }
        }
    }()

    @Test("Values agree with the definitions", arguments: pairs.indices)
    func values(_ index: Int) {
        let (a, r) = (
            logProbabilities(DivergenceTests.pairs[index].0), logProbabilities(DivergenceTests.pairs[index].1)
        )
        let kullback = kullbackLeibler(a.map { exp($0) }, r.map { exp($0) })
        #expect(abs(Divergence.kullbackLeibler.value(anchor: a, reference: r) - kullback) <= 1e-12)
        let mean = zip(a, r).map { (exp($0) + exp($1)) / 2 }
        let jensen =
            (kullbackLeibler(a.map { exp($0) }, mean) + kullbackLeibler(r.map { exp($0) }, mean)) / 2
        #expect(abs(Divergence.jensenShannon.value(anchor: a, reference: r) - jensen) <= 1e-12)
        let jeffreys = (kullback + kullbackLeibler(r.map { exp($0) }, a.map { exp($0) })) / 2
        #expect(abs(Divergence.jeffreys.value(anchor: a, reference: r) - jeffreys) <= 1e-12)
        #expect(
            abs(Divergence.jeffreys.value(anchor: r, reference: a) - jeffreys) <= 1e-12, "it is symmetric")
    }

    @Test("Of a distribution from itself all are 0, with no gradient", arguments: pairs.indices)
    func identical(_ index: Int) {
        let a = logProbabilities(DivergenceTests.pairs[index].0)
        for divergence in [Divergence.kullbackLeibler, .jensenShannon, .jeffreys] {
            #expect(abs(divergence.value(anchor: a, reference: a)) <= 1e-15)
            let gradient = gradient(divergence, a, a, scale: 1, temperature: 1)
            #expect((gradient.anchor + gradient.reference).allSatisfy { abs($0) <= 1e-15 })
        }
    }

    @Test(
        "Gradients for the raw logits agree with finite differences", arguments: pairs.indices, [1, 0.7, 3])
    func gradients(_ index: Int, _ temperature: Double) {
        let (anchor, reference) = DivergenceTests.pairs[index]
        for divergence in [Divergence.kullbackLeibler, .jensenShannon, .jeffreys] {
            func value(_ anchor: [Double], _ reference: [Double]) -> Double {
                divergence.value(
                    anchor: logProbabilities(anchor.map { $0 / temperature }),
                    reference: logProbabilities(reference.map { $0 / temperature }))
            }
            let exact = gradient(
                divergence, logProbabilities(anchor.map { $0 / temperature }),
                logProbabilities(reference.map { $0 / temperature }), scale: 1, temperature: temperature)
            let step = 1e-5
            for entry in anchor.indices {
                func moved(_ logits: [Double], _ by: Double) -> [Double] {
                    var logits = logits
                    logits[entry] += by
                    return logits
                }
                let forAnchor =
                    (value(moved(anchor, step), reference) - value(moved(anchor, -step), reference))
                    / (2 * step)
                let forReference =
                    (value(anchor, moved(reference, step)) - value(anchor, moved(reference, -step)))
                    / (2 * step)
                #expect(abs(exact.anchor[entry] - forAnchor) <= 1e-8)
                #expect(abs(exact.reference[entry] - forReference) <= 1e-8)
            }
        }
    }

    @Test("A gradient is scaled and added to what is there, and sums to nothing over the vocabulary")
    func accumulation() {
        let (a, r) = (logProbabilities([1, 2, -1, 0.5]), logProbabilities([0, 0.25, 2, -3]))
        for divergence in [Divergence.kullbackLeibler, .jensenShannon, .jeffreys] {
            let once = gradient(divergence, a, r, scale: 1, temperature: 1)
            var anchor = [1.0, 2, 3, 4]
            var reference = [5.0, 6, 7, 8]
            divergence.addGradient(
                anchor: a, reference: r, scale: -2.5, temperature: 0.5, toAnchor: &anchor,
                toReference: &reference)
            for index in 0..<4 {
                #expect(abs(anchor[index] - (Double(index + 1) - 5 * once.anchor[index])) <= 1e-12)
                #expect(abs(reference[index] - (Double(index + 5) - 5 * once.reference[index])) <= 1e-12)
            }
            // Adding a constant to all logits changes nothing.
            #expect(abs(once.anchor.reduce(0, +)) <= 1e-14 && abs(once.reference.reduce(0, +)) <= 1e-14)
        }
    }

    @Test(
        "Jensen–Shannon is symmetric, between 0 and ln 2, and ln 2 for disjoint distributions",
        arguments: pairs.indices)
    func jensenBounds(_ index: Int) {
        let (a, r) = (
            logProbabilities(DivergenceTests.pairs[index].0), logProbabilities(DivergenceTests.pairs[index].1)
        )
        let value = Divergence.jensenShannon.value(anchor: a, reference: r)
        #expect(value >= 0 && value <= log(2) + 1e-15)
        #expect(abs(value - Divergence.jensenShannon.value(anchor: r, reference: a)) <= 1e-15)
        let disjoint = Divergence.jensenShannon.value(anchor: [0, -.infinity], reference: [-.infinity, 0])
        #expect(abs(disjoint - log(2)) <= 1e-15)
    }

    @Test(
        "Where only the reference has no mass Kullback–Leibler is infinite; where only the anchor has none it is not"
    )
    func infinite() {
        let kullback = Divergence.kullbackLeibler
        let half = -log(2.0)
        #expect(kullback.value(anchor: [half, half], reference: [0, -.infinity]) == .infinity)
        #expect(abs(kullback.value(anchor: [0, -.infinity], reference: [half, half]) - log(2)) <= 1e-15)
        #expect(kullback.value(anchor: [0, -.infinity], reference: [0, -.infinity]) == 0)
        #expect(kullback.value(anchor: [-1000, 0], reference: [-.infinity, 0]) == 0, "e^−1000 is no mass")
    }

    @Test("Where either has no mass Jeffreys' is infinite, unless the other's is none either")
    func infiniteJeffreys() {
        let jeffreys = Divergence.jeffreys
        let half = -log(2.0)
        #expect(jeffreys.value(anchor: [half, half], reference: [0, -.infinity]) == .infinity)
        #expect(jeffreys.value(anchor: [0, -.infinity], reference: [half, half]) == .infinity)
        #expect(jeffreys.value(anchor: [0, -.infinity], reference: [0, -.infinity]) == 0)
        #expect(jeffreys.value(anchor: [-1000, 0], reference: [-.infinity, 0]) == 0)
        #expect(jeffreys.value(anchor: [-.infinity, 0], reference: [-1000, 0]) == 0)
    }

    @Test("A slope of 0 adds nothing, even where the divergence is infinite")
    func noSlope() {
        let gradient = gradient(
            .kullbackLeibler, [-log(2.0), -log(2.0)], [0, -.infinity], scale: 0, temperature: 1)
        #expect(gradient.anchor == [0, 0] && gradient.reference == [0, 0])
    }

    @Test("Entries without mass on either side give finite gradients")
    func gradientsAtZero() {
        let half = -log(2.0)
        for (a, r) in [([0, -.infinity], [half, half]), ([0, -.infinity], [0, -.infinity])]
            as [([Double], [Double])]
        {
            // Jeffreys' divergence of the first pair is infinite.
            for divergence in [Divergence.kullbackLeibler, .jensenShannon]
                + (r[1] == -.infinity ? [.jeffreys] : [])
            {
                let gradient = gradient(divergence, a, r, scale: 1, temperature: 1)
                #expect((gradient.anchor + gradient.reference).allSatisfy { $0.isFinite })
            }
        }
        let jensen = gradient(
            .jensenShannon, [half, half, -.infinity], [-.infinity, half, half], scale: 1, temperature: 1)
        #expect((jensen.anchor + jensen.reference).allSatisfy { $0.isFinite })
        #expect(jensen.anchor[2] == 0 && jensen.reference[0] == 0)
    }

    @Test(
        "The soft maximum neither overflows nor loses small values",
        arguments: [
            (0, log(2)), (-1000, 0), (1000, 1000), (-.infinity, 0), (.infinity, .infinity), (-40, exp(-40)),
            (1e-10, log(2) + 5e-11),
        ] as [(Double, Double)])
    func softplusValues(_ x: Double, _ expected: Double) {
        let value = softplus(x)
        #expect(value == expected || abs(value - expected) <= 1e-15 * max(expected, 1e-17))
    }

    private func logProbabilities(_ logits: [Double]) -> [Double] {
        let maximum = logits.max() ?? 0
        let logSum = maximum + log(logits.reduce(0) { $0 + exp($1 - maximum) })
        return logits.map { $0 - logSum }
    }

    private func kullbackLeibler(_ p: [Double], _ q: [Double]) -> Double {
        RowTwin.sum(zip(p, q).map { $0 > 0 ? $0 * log($0 / $1) : 0 })
    }

    private func gradient(
        _ divergence: Divergence, _ a: [Double], _ r: [Double], scale: Double, temperature: Double
    ) -> (anchor: [Double], reference: [Double]) {
        var anchor = [Double](repeating: 0, count: a.count)
        var reference = anchor
        divergence.addGradient(
            anchor: a, reference: r, scale: scale, temperature: temperature, toAnchor: &anchor,
            toReference: &reference)
        return (anchor, reference)
    }
}
