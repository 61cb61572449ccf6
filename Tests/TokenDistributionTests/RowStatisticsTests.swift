import Glibc
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Row statistics")
struct RowStatisticsTests {
    static let rows: [(String, [Float])] = {
        var rows: [(String, [Float])] = []
        for length in Array(1...40) + [63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 3000] {
            var random = SeededGenerator(seed: UInt64(length))
            rows.append(
                ("normal, \(length)", (0..<length).map { _ in Float.random(in: -6...6, using: &random) }))
        }
        func row(_ name: String, _ length: Int, _ value: (Int) -> Float) {
            rows.append((name, (0..<length).map(value)))
        }
        for length in [1, 2, 16, 17, 1024, 1025, 5000] {
            row("all 0, \(length)", length) { _ in 0 }
            row("all 1e4, \(length)", length) { _ in 1e4 }
            row("all -1e4, \(length)", length) { _ in -1e4 }
            row("all huge, \(length)", length) { _ in .greatestFiniteMagnitude }
            row("all denormal, \(length)", length) { _ in .leastNonzeroMagnitude }
            row("denormals of both signs, \(length)", length) { $0 % 2 == 0 ? 0x1p-140 : -0x1p-140 }
            row("one 1e4 first, \(length)", length) { $0 == 0 ? 1e4 : 0 }
            row("one 1e4 last, \(length)", length) { $0 == length - 1 ? 1e4 : 0 }
            row("alternating ±1e4, \(length)", length) { $0 % 2 == 0 ? 1e4 : -1e4 }
            row("extremes, \(length)", length) {
                $0 % 2 == 0 ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
            }
            row("all but one −inf, \(length)", length) { $0 == length / 2 ? -3 : -.infinity }
            row("every third −inf, \(length)", length) { $0 % 3 == 1 ? -.infinity : Float($0 % 7) }
            row("rising, \(length)", length) { Float($0) * 0.01 }
            row("falling, \(length)", length) { Float($0) * -0.01 }
            row("steps at blocks, \(length)", length) { Float($0 / 1024) * 50 }
            row("at the edge of the exponential, \(length)", length) {
                $0 == 0 ? 0 : -86.9 - Float($0 % 3) * 0.1
            }
            row("halves on a high plateau, \(length)", length) { 9999.5 + Float($0 % 4) * 0.125 }
        }
        row("−inf until the second block", 2000) { $0 < 1500 ? -.infinity : 1 }
        row("−inf after the first block", 2000) { $0 < 100 ? 1 : -.infinity }
        return rows
    }()

    @Test(
        "Float rows agree with a Double twin to 1e-6 nats", arguments: InstructionSet.allCases,
        [1, 0.7, 0.1, 1e-4, 1e4])
    func floats(_ set: InstructionSet, _ temperature: Double) throws {
        try skipUnlessAvailable(set)
        for (name, row) in RowStatisticsTests.rows {
            let twin = RowTwin(row.map(Double.init), temperature: temperature)
            let (logSumExp, entropy) = try #require(defined(statistics(row, temperature, set)), "\(name)")
            #expect(abs(logSumExp - twin.logSumExp) <= max(1e-6, abs(twin.logSumExp) * 1e-15), "\(name)")
            #expect(abs(entropy - twin.entropy) <= 1e-6, "\(name)")
            #expect(entropy >= 0 && entropy.isFinite, "\(name)")
        }
    }

    @Test("Double rows agree with the twin to 1e-12 nats", arguments: [1, 0.7, 2, 0.1, 1e-4, 1e4])
    func doubles(_ temperature: Double) throws {
        for (name, row) in RowStatisticsTests.rows {
            let values = row.map(Double.init)
            let twin = RowTwin(values, temperature: temperature)
            let (logSumExp, entropy) = try #require(defined(statistics(values, temperature)), "\(name)")
            #expect(abs(logSumExp - twin.logSumExp) <= max(1e-12, abs(twin.logSumExp) * 1e-15), "\(name)")
            #expect(abs(entropy - twin.entropy) <= max(1e-11, abs(twin.logSumExp) * 1e-15), "\(name)")
        }
    }

    @Test(
        "A whole vocabulary of 151,936 agrees too",
        arguments: InstructionSet.allCases, [(0.7, 3.0), (1.0, 0.01), (3.0, 30.0)])
    func vocabulary(_ set: InstructionSet, _ scales: (Double, Double)) throws {
        try skipUnlessAvailable(set)
        let (temperature, spread) = scales
        var random = SeededGenerator(seed: 151_936)
        let row = (0..<151_936).map { _ -> Float in
            // Box–Muller, so that tails look as those of a model.
            let u = Double.random(in: 1e-12..<1, using: &random)
            return Float(
                spread * (-2 * log(u)).squareRoot() * cos(.pi * Double.random(in: 0..<2, using: &random)))
        }
        let twin = RowTwin(row.map(Double.init), temperature: temperature)
        let (logSumExp, entropy) = try #require(defined(statistics(row, temperature, set)))
        #expect(abs(logSumExp - twin.logSumExp) <= 2e-7)
        #expect(abs(entropy - twin.entropy) <= 5e-7)
    }

    /// Every entry but one is rounded the same way here, so the errors of Float add up instead of cancelling: the worst
    /// row there is.
    @Test(
        "One peak over a flat vocabulary agrees to 1e-6 nats", arguments: InstructionSet.allCases,
        [0.3, 1, 1.3])
    func peak(_ set: InstructionSet, _ temperature: Double) throws {
        try skipUnlessAvailable(set)
        for height in [9.1, 11.8, 14.5] {
            for level: Float in [0, 9.7] {
                var row = [Float](repeating: level, count: 151_936)
                row[10_000] += Float(height * temperature)
                // Of two different logits the twin is a closed form, and quick.
                let x = (Double(level) - Double(row[10_000])) / temperature
                let others = 151_935 * exp(x)
                let twin = log1p(others) - x * others / (1 + others)
                let (logSumExp, entropy) = try #require(defined(statistics(row, temperature, set)))
                #expect(
                    abs(logSumExp - Double(row[10_000]) / temperature - log1p(others)) <= 1e-6, "\(height)")
                #expect(abs(entropy - twin) <= 1e-6, "\(height)")
            }
        }
    }

    @Test(
        "A few tokens far above a broad bulk agree to 1.2e-6 nats, wherever they stand",
        arguments: InstructionSet.allCases)
    func leaders(_ set: InstructionSet) throws {
        try skipUnlessAvailable(set)
        var random = SeededGenerator(seed: 12)
        var worst = 0.0
        for _ in 0..<60 {
            var row = (0..<Int.random(in: 3000..<12_000, using: &random)).map { _ in
                -2 + Float.random(in: -8...8, using: &random)
            }
            for _ in 0..<12 {
                let above = -2.5 * log(Float.random(in: 1e-6..<1, using: &random))
                row[Int.random(in: row.indices, using: &random)] = 14 + above
            }
            let (_, entropy) = try #require(defined(statistics(row, 1, set)))
            worst = max(worst, abs(entropy - RowTwin(row.map(Double.init), temperature: 1).entropy))
        }
        #expect(worst <= 1.2e-6)
    }

    @Test(
        "Where almost nothing is uncertain, the little that is keeps five digits",
        arguments: InstructionSet.allCases)
    func almostCertain(_ set: InstructionSet) throws {
        try skipUnlessAvailable(set)
        var random = SeededGenerator(seed: 8)
        let noise = (0..<3000).map { _ in Float.random(in: -2...2, using: &random) }
        for height in stride(from: Float(10), through: 80, by: 7) {
            for place in [0, 5, 1023, 1024, 2999] {
                var row = noise
                row[place] = height
                // Σ −p log p, that of the peak apart: its p is 1/(1 + others).
                var others = 0.0
                var weighted = 0.0
                for index in row.indices where index != place {
                    let x = Double(row[index]) - Double(height)
                    others += exp(x)
                    weighted += exp(x) * x
                }
                let twin = log1p(others) - weighted / (1 + others)
                let (_, entropy) = try #require(defined(statistics(row, 1, set)))
                #expect(abs(entropy - twin) <= 1e-5 * twin, "\(height) at \(place)")
            }
        }
    }

    @Test(
        "An even row has the entropy of its length, a certain one none", arguments: InstructionSet.allCases)
    func closedForms(_ set: InstructionSet) throws {
        try skipUnlessAvailable(set)
        for length in [1, 2, 3, 16, 1000, 1024, 5000] {
            let (_, even) = try #require(defined(statistics([Float](repeating: 7.25, count: length), 1, set)))
            #expect(abs(even - log(Double(length))) <= 1e-6)
            var certain = [Float](repeating: -1e4, count: length)
            certain[length / 2] = 1e4
            let summary = RowSummary(peak: 1e4, temperature: 1, logSum: 0, entropy: 0)
            #expect(statistics(certain, 1, set) == .defined(summary) && summary.logSumExp == 1e4)
            for index in certain.indices where index != length / 2 { certain[index] = -.infinity }
            #expect(statistics(certain, 1, set) == .defined(summary))
        }
    }

    static let poisons: [(Float, RowStatistics.Outcome)] = [
        (.nan, .notANumber), (-.nan, .notANumber), (Float(bitPattern: 0x7F80_0001), .notANumber),
        (Float(bitPattern: 0x7FC0_0001), .notANumber), (Float(bitPattern: 0xFFFF_FFFF), .notANumber),
        (.infinity, .positiveInfinity),
    ]

    @Test(
        "NaN and +inf make the row undefined wherever they stand", arguments: InstructionSet.allCases, poisons
    )
    func poison(_ set: InstructionSet, _ poison: (Float, RowStatistics.Outcome)) throws {
        try skipUnlessAvailable(set)
        let (value, outcome) = poison
        for length in [1, 15, 16, 17, 1024, 1025, 2500] {
            for place in Set([0, 1, length / 2, length - 2, length - 1]) where (0..<length).contains(place) {
                for rest: Float in [1, -200, -.infinity] {
                    var row = [Float](repeating: rest, count: length)
                    row[place] = value
                    #expect(statistics(row, 1, set) == outcome, "\(place) of \(length)")
                    #expect(statistics(row.map(Double.init), 1) == outcome, "\(place) of \(length)")
                }
            }
        }
    }

    @Test(
        "A later, much higher block doesn't wash a NaN away", arguments: InstructionSet.allCases,
        poisons.map(\.0))
    func poisonBeforeARise(_ set: InstructionSet, _ value: Float) throws {
        try skipUnlessAvailable(set)
        var row = [Float](repeating: 0, count: 2048)
        row[3] = value
        for index in 1024..<2048 { row[index] = 1e4 }
        let outcome: RowStatistics.Outcome = value.isNaN ? .notANumber : .positiveInfinity
        #expect(statistics(row, 1, set) == outcome)
        #expect(statistics(row.map(Double.init), 1) == outcome)
    }

    @Test("NaN beside +inf is named first", arguments: InstructionSet.allCases)
    func both(_ set: InstructionSet) throws {
        try skipUnlessAvailable(set)
        for row in [
            [Float.nan, .infinity], [.infinity, .nan],
            [Float](repeating: 0, count: 1024) + [.infinity, .nan],
        ] {
            #expect(statistics(row, 1, set) == .notANumber)
        }
    }

    @Test(
        "A row without a finite entry says so", arguments: InstructionSet.allCases, [1, 16, 17, 1024, 3000])
    func nothing(_ set: InstructionSet, _ length: Int) throws {
        try skipUnlessAvailable(set)
        #expect(statistics([Float](repeating: -.infinity, count: length), 1, set) == .allNegativeInfinity)
        #expect(statistics([Double](repeating: -.infinity, count: length), 1) == .allNegativeInfinity)
    }

    private func defined(_ outcome: RowStatistics.Outcome) -> (Double, Double)? {
        guard case .defined(let summary) = outcome else { return nil }
        return (summary.logSumExp, summary.entropy)
    }

    private func statistics(
        _ row: [Float], _ temperature: Double, _ set: InstructionSet
    ) -> RowStatistics.Outcome {
        var statistics = RowStatistics(temperature: temperature, instructionSet: set)
        unsafe statistics.add(row.span.bytes, as: .float32)
        return statistics.outcome
    }

    private func statistics(_ row: [Double], _ temperature: Double) -> RowStatistics.Outcome {
        var statistics = RowStatistics(temperature: temperature)
        unsafe statistics.add(row.span.bytes, as: .float64)
        return statistics.outcome
    }
}
