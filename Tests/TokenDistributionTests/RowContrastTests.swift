import Glibc
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Contrast of three rows")
struct RowContrastTests {
    static let types = [ElementType.float32, .bfloat16, .float16]
    static let divergences = [Divergence.kullbackLeibler, .jensenShannon]

    @Test(
        "Divergences agree with a Double twin to 1e-12, by every instruction set", arguments: RowTriple.all,
        types)
    func values(_ triple: RowTriple, _ type: ElementType) throws {
        let exact = triple.rounded(to: type)
        for temperature in [1, 0.7, 1e-3, 50] {
            let (a, p, n) = (
                logProbabilities(exact.original, temperature),
                logProbabilities(exact.preserving, temperature),
                logProbabilities(exact.removing, temperature)
            )
            for divergence in RowContrastTests.divergences {
                let twin = ViewDivergences(
                    preserving: divergence.value(anchor: a, reference: p),
                    removing: divergence.value(anchor: a, reference: n))
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: temperature, instructionSet: set)
                    let found = try #require(
                        triple.withBytes(type) {
                            contrast.read(original: $0, preserving: $1, removing: $2, as: type).divergences
                        })
                    for (value, expected) in [
                        (found.preserving, twin.preserving), (found.removing, twin.removing),
                    ] {
                        #expect(
                            value == expected || abs(value - expected) <= 1e-12 * max(1, expected),
                            "\(divergence) at \(temperature) by \(set): \(value), not \(expected)")
                        #expect(value >= 0)
                    }
                }
            }
        }
    }

    @Test(
        "Gradients agree with a Double twin to 1e-7 of the row's largest, by every instruction set",
        arguments: RowTriple.all, types)
    func gradients(_ triple: RowTriple, _ type: ElementType) throws {
        let exact = triple.rounded(to: type)
        let count = triple.original.count
        for (temperature, given) in [(1, (0.8, -0.3)), (0.6, (-2, -1))] {
            let (a, p, n) = (
                logProbabilities(exact.original, temperature),
                logProbabilities(exact.preserving, temperature),
                logProbabilities(exact.removing, temperature)
            )
            for divergence in RowContrastTests.divergences {
                let depths = [
                    divergence.value(anchor: a, reference: p), divergence.value(anchor: a, reference: n),
                ].filter(\.isFinite)
                // An infinite divergence is refused, or held by a clamp, whose slope is 0.
                let slopes = ViewDivergences(
                    preserving: divergence.value(anchor: a, reference: p) < .infinity ? given.0 : 0,
                    removing: divergence.value(anchor: a, reference: n) < .infinity ? given.1 : 0)
                var twins = [[Double]](repeating: [Double](repeating: 0, count: count), count: 3)
                var (toAnchor, toReference) = (twins[0], twins[1])
                divergence.addGradient(
                    anchor: a, reference: p, scale: slopes.preserving, temperature: temperature,
                    toAnchor: &toAnchor, toReference: &toReference)
                twins[1] = toReference
                toReference = twins[2]
                divergence.addGradient(
                    anchor: a, reference: n, scale: slopes.removing, temperature: temperature,
                    toAnchor: &toAnchor, toReference: &toReference)
                twins[0] = toAnchor
                twins[2] = toReference
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: temperature, instructionSet: set)
                    let (rows, isFinite) = written(contrast, triple, type, slopes)
                    #expect(isFinite == twins.allSatisfy { $0.allSatisfy { Float($0).isFinite } })
                    guard isFinite else { continue }
                    for (row, twin) in zip(rows, twins) {
                        let largest = twin.map(\.magnitude).max() ?? 0
                        // What is left where log-ratios as deep as the divergence cancel, in the twin as well.
                        let rounding = 1e-15 * (1 + (depths.max() ?? 0)) * 2 / temperature
                        let tolerance = 1e-7 * largest + rounding
                        let worst = zip(row, twin).map { abs(Double($0) - $1) }.max() ?? 0
                        #expect(worst <= tolerance, "\(divergence) at \(temperature) by \(set): \(worst)")
                    }
                }
            }
        }
    }

    @Test("Statistics are those of the rows alone, bit for bit", arguments: RowTriple.all, types)
    func statistics(_ triple: RowTriple, _ type: ElementType) {
        for set in InstructionSet.available {
            func outcome(_ bytes: RawSpan) -> RowStatistics.Outcome {
                var statistics = RowStatistics(temperature: 0.7, instructionSet: set)
                statistics.add(bytes, as: type)
                return statistics.outcome
            }
            triple.withBytes(type) { a, p, n in
                let rows = RowContrast(.kullbackLeibler, temperature: 0.7, instructionSet: set).read(
                    original: a, preserving: p, removing: n, as: type)
                #expect(rows.original == outcome(a) && rows.preserving == outcome(p))
                #expect(rows.removing == outcome(n))
            }
        }
    }

    @Test("Rows that start at any address give the same bits", arguments: types, [1, 2, 3, 7])
    func unaligned(_ type: ElementType, _ offset: Int) {
        for triple in RowTriple.all where triple.name.hasPrefix("random") {
            for divergence in RowContrastTests.divergences {
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
                    func read(_ offset: Int) -> ContrastedRows {
                        triple.withBytes(type, offset: offset) {
                            contrast.read(original: $0, preserving: $1, removing: $2, as: type)
                        }
                    }
                    #expect(read(offset) == read(0))
                    let slopes = ViewDivergences(preserving: 1, removing: -0.5)
                    #expect(
                        written(contrast, triple, type, slopes, offset: offset).rows
                            == written(contrast, triple, type, slopes).rows)
                }
            }
        }
    }

    @Test(
        "NaN, +inf and a row without a finite logit leave no divergence, wherever they stand",
        arguments: types)
    func undefined(_ type: ElementType) {
        for length in [1, 8, 1025] {
            for place in Set([0, length / 2, length - 1]) {
                for (value, outcome) in [
                    (Float.nan, RowStatistics.Outcome.notANumber), (.infinity, .positiveInfinity),
                ] {
                    var poisoned = [Float](repeating: 1, count: length)
                    poisoned[place] = value
                    let clean = [Float](repeating: 1, count: length)
                    for view in 0..<3 {
                        let rows = (0..<3).map { $0 == view ? poisoned : clean }
                        let read = RowTriple("", rows[0], rows[1], rows[2]).withBytes(type) {
                            RowContrast(.kullbackLeibler, temperature: 1).read(
                                original: $0, preserving: $1, removing: $2, as: type)
                        }
                        #expect(read.divergences == nil)
                        #expect([read.original, read.preserving, read.removing][view] == outcome)
                    }
                }
            }
        }
        let nothing = [Float](repeating: -.infinity, count: 20)
        let read = RowTriple("", nothing, nothing, nothing).withBytes(type) {
            RowContrast(.jensenShannon, temperature: 1).read(
                original: $0, preserving: $1, removing: $2, as: type)
        }
        #expect(read.divergences == nil && read.removing == .allNegativeInfinity)
    }

    @Test("Nothing is written where nothing is wanted, and the rest is the same", arguments: divergences)
    func unwanted(_ divergence: Divergence) {
        let triple = RowTriple.all[13]
        let slopes = ViewDivergences(preserving: 1, removing: -0.5)
        for set in InstructionSet.available {
            let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
            let all = written(contrast, triple, .float32, slopes).rows
            for view in 0..<3 {
                let alone = written(contrast, triple, .float32, slopes, wanted: [view]).rows
                for other in 0..<3 { #expect(alone[other] == (other == view ? all[view] : [])) }
            }
        }
    }

    @Test("A gradient beyond Float is told", arguments: divergences, [1, 9, 100])
    func tooLarge(_ divergence: Divergence, _ length: Int) {
        let rows = (0..<3).map { view in (0..<length).map { Float(($0 + view) % 3) } }
        let triple = RowTriple("", rows[0], rows[1], rows[2])
        for set in InstructionSet.available {
            let contrast = RowContrast(divergence, temperature: 1, instructionSet: set)
            let slopes = ViewDivergences(preserving: 1e200, removing: 1)
            // One token is certain under every view.
            #expect(written(contrast, triple, .float32, slopes).isFinite == (length == 1))
        }
    }

    @Test(
        "The gradient of a token's log-probability agrees with a twin, by every instruction set",
        arguments: RowTriple.all, types)
    func tokens(_ triple: RowTriple, _ type: ElementType) {
        let exact = triple.rounded(to: type).original
        for (temperature, slope) in [(1, 0.4), (0.6, -3)] {
            let twin = logProbabilities(exact, temperature)
            for token in Set([0, exact.count / 2, exact.count - 1]) {
                let expected = twin.indices.map {
                    slope / temperature * (($0 == token ? -expm1(twin[$0]) : -exp(twin[$0])))
                }
                let largest = expected.map(\.magnitude).max() ?? 0
                for set in InstructionSet.available {
                    var output = [Float](repeating: .nan, count: exact.count)
                    var span = output.mutableSpan
                    let isFinite = triple.withBytes(type, offset: 1) { a, _, _ in
                        writeTokenGradient(
                            of: token, slope: slope, logits: a, as: type, temperature: temperature,
                            instructionSet: set, into: &span)
                    }
                    let worst = zip(output, expected).map { abs(Double($0) - $1) }.max() ?? 0
                    #expect(isFinite && worst <= 1e-7 * largest + 1e-15, "\(set): \(worst) of \(largest)")
                }
            }
        }
    }

    private func written(
        _ contrast: RowContrast, _ triple: RowTriple, _ type: ElementType, _ slopes: ViewDivergences,
        offset: Int = 0, wanted: Set<Int> = [0, 1, 2]
    ) -> (rows: [[Float]], isFinite: Bool) {
        func room(_ view: Int) -> [Float] {
            [Float](repeating: .nan, count: wanted.contains(view) ? triple.original.count : 0)
        }
        var (a, p, n) = (room(0), room(1), room(2))
        var toOriginal = a.mutableSpan
        var toPreserving = p.mutableSpan
        var toRemoving = n.mutableSpan
        let isFinite = triple.withBytes(type, offset: offset) { original, preserving, removing in
            contrast.writeGradients(
                original: original, preserving: preserving, removing: removing, as: type, slopes: slopes,
                toOriginal: &toOriginal, toPreserving: &toPreserving, toRemoving: &toRemoving)
        }
        return ([a, p, n], isFinite)
    }

    /// log softmax(z/T) in the obvious way.
    private func logProbabilities(_ logits: [Float], _ temperature: Double) -> [Double] {
        let maximum = Double(logits.max() ?? 0)
        let differences = logits.map { (Double($0) - maximum) / temperature }
        let logSum = log(RowTwin.sum(differences.map { exp($0) }))
        return differences.map { $0 - logSum }
    }
}
