import Glibc
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Entropy from the k best log-probs")
struct EntropyBoundsTests {
    @Test("The entropy lies within the bounds for every shape of distribution", arguments: 0..<200)
    func containment(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let row = SyntheticRow(using: &random)
        for k in [1, 2, 5, 20, row.count - 1, row.count] where k >= 1 && k <= row.count {
            let best = Array(row.sorted.prefix(k))
            let place = Int.random(in: 0..<row.count, using: &random)
            var ways: [RealisedToken] = [.listed, .unidentified(logProb: row.sorted[place])]
            if place >= k { ways.append(.outside(logProb: row.sorted[place])) }
            for realised in ways {
                let bounds = try bounded(best, realised: realised, vocabulary: row.count)
                #expect(bounds.lower <= row.entropy + 1e-9, "\(row.kind), k = \(k), \(realised)")
                #expect(bounds.upper >= row.entropy - 1e-9, "\(row.kind), k = \(k), \(realised)")
                #expect(bounds.lower >= 0 && bounds.lower <= bounds.middle && bounds.middle <= bounds.upper)
            }
        }
    }

    @Test("Both bounds are attained: no narrower interval is right", arguments: [5, 20])
    func attained(_ k: Int) throws {
        var random = SeededGenerator(seed: 5)
        let weights = (0..<k).map { _ in Double.random(in: 0.02...1, using: &random) }.sorted(by: >)
        let known = weights.map { 0.4 * $0 / weights.reduce(0, +) }
        let least = try #require(known.last)
        let others = 3000
        let level = [Double](repeating: 0.6 / Double(others), count: others)
        let full = Int(0.6 / least)
        let corner =
            [Double](repeating: least, count: full) + [0.6 - Double(full) * least]
            + [Double](repeating: 0, count: others - full - 1)
        let bounds = try bounded(known.map { log($0) }, vocabulary: k + others)
        #expect(abs(bounds.upper - entropy(of: known + level)) < 1e-9)
        #expect(abs(bounds.lower - entropy(of: known + corner)) < 1e-9)
    }

    @Test("They agree with a slow twin written from the formulas", arguments: 0..<100)
    func twin(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        let row = SyntheticRow(using: &random)
        let k = Int.random(in: 1...min(row.count, 30), using: &random)
        let best = Array(row.sorted.prefix(k))
        let further = k < row.count ? Int.random(in: k..<row.count, using: &random) : nil
        let twin = BoundsTwin(
            best.map { exp($0) }, further: further.map { exp(row.sorted[$0]) }, vocabulary: row.count)
        let bounds = try bounded(
            best.shuffled(using: &random),
            realised: further.map { .outside(logProb: row.sorted[$0]) } ?? .listed, vocabulary: row.count)
        #expect(abs(bounds.lower - twin.lower) < 1e-10, "\(row.kind)")
        #expect(abs(bounds.upper - twin.upper) < 1e-10, "\(row.kind)")
    }

    @Test("Rounding to Float32 moves the bounds by no more than it moves the entropy", arguments: 0..<100)
    func roundedInputs(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 2000)
        let row = SyntheticRow(using: &random)
        let rounded = row.sorted.map { Double(Float($0)) }
        for k in [1, 5, 20, row.count] where k <= row.count {
            let bounds = try bounded(Array(rounded.prefix(k)), vocabulary: row.count)
            #expect(bounds.lower <= row.entropy + 2e-5, "\(row.kind), k = \(k)")
            #expect(bounds.upper >= row.entropy - 2e-5, "\(row.kind), k = \(k)")
        }
    }

    @Test("Where everything is known the bounds are the entropy, and nothing is left")
    func everythingKnown() throws {
        let row = [0.5, 0.25, 0.125, 0.125].map { log($0) }
        let bounds = try bounded(row, vocabulary: 4)
        #expect(bounds.lower == bounds.upper && abs(bounds.upper - 1.75 * M_LN2) < 1e-15)
        // Also when rounding leaves something that no token is left for.
        let short = [0.5, 0.25, 0.125, 0.1249].map { log($0) }
        let same = try bounded(short, vocabulary: 4)
        #expect(same.lower == same.upper)
        // And when the realised token is the last one missing.
        let three = Array(row.prefix(3))
        let last = try bounded(three, realised: .outside(logProb: row[3]), vocabulary: 4)
        #expect(abs(last.upper - bounds.upper) < 1e-15 && last.lower == last.upper)
    }

    @Test("A certain token has entropy 0, without a sign")
    func certainty() throws {
        for row: [Double] in [[0.0], [0, -.infinity, -.infinity], [-0.0, -9999, -99999], [0, -800]] {
            let bounds = try bounded(row, vocabulary: 151_936)
            #expect(bounds.lower == 0 && bounds.upper == 0 && bounds.lower.sign == .plus, "\(row)")
        }
    }

    @Test("What an almost certain token leaves is not lost to rounding")
    func almostCertain() throws {
        // 1 − p = 2e-18 is below the spacing of Doubles at 1; 1e-18 of it is the second token's.
        let bounds = try bounded([-2e-18, log(1e-18)], vocabulary: 1000)
        let known = 2e-18 - 1e-18 * log(1e-18)
        #expect(abs(bounds.lower - (known - 1e-18 * log(1e-18))) < 1e-24)
        #expect(abs(bounds.upper - (known - 1e-18 * log(1e-18 / 998))) < 1e-24)
    }

    @Test("Entries of probability 0 count as absent, so the least of the others limits the rest")
    func absentEntries() throws {
        let plain = try bounded([log(0.5), log(0.2)], vocabulary: 50)
        for absent: Double in [-Double.infinity, -9999, -99999, -1e300] {
            let padded = try bounded([absent, log(0.5), absent, log(0.2)], vocabulary: 50)
            #expect(padded == plain, "\(absent)")
        }
    }

    @Test("Without ids the realised token counts as further known only below all of the k")
    func unidentifiedTokens() throws {
        let best = [log(0.5), log(0.2)]
        let plain = try bounded(best, vocabulary: 50)
        for inside in [best[0], best[1], best[0] + 0.9e-4, best[1] - 0.9e-4] {
            let bounds = try bounded(best, realised: .unidentified(logProb: inside), vocabulary: 50)
            #expect(bounds == plain, "\(inside)")
        }
        let below = try bounded(best, realised: .unidentified(logProb: log(0.1)), vocabulary: 50)
        #expect(
            below
                == (try bounded(best, realised: .outside(logProb: log(0.1)), vocabulary: 50)))
        #expect(below.upper < plain.upper)
        let above = log(0.3)
        for realised in [RealisedToken.unidentified(logProb: above), .outside(logProb: above)] {
            #expect(throws: EntropyBoundsError.notTheBest(realised: above, smallest: best[1])) {
                try bounded(best, realised: realised, vocabulary: 50)
            }
        }
        // An id tells two tokens of one probability apart.
        let tie = try bounded(best, realised: .outside(logProb: best[1]), vocabulary: 50)
        #expect(tie.upper < plain.upper)
    }

    @Test("What is no list of log-probs is refused")
    func refusals() {
        func error(
            _ best: [Double], _ realised: RealisedToken = .listed, _ vocabulary: Int = 100
        ) -> EntropyBoundsError? {
            do throws(EntropyBoundsError) {
                _ = try bounded(best, realised: realised, vocabulary: vocabulary)
                return nil
            } catch { return error }
        }
        #expect(error([]) == .noEntries)
        #expect(error([-.infinity, -9999]) == .noEntries)
        #expect(error([-1, 0.5]) == .notALogProb(0.5, entry: 1))
        #expect(error([.infinity]) == .notALogProb(.infinity, entry: 0))
        guard case .notALogProb(let value, entry: 1) = error([-1, .nan]), value.isNaN else {
            Issue.record("NaN passed")
            return
        }
        for realised: Double in [.infinity, -Double.infinity, -9999, 0.1] {
            #expect(
                error([-1], .unidentified(logProb: realised)) == .notALogProb(realised, entry: nil))
            #expect(error([-1], .outside(logProb: realised)) == .notALogProb(realised, entry: nil))
        }
        // A thousandth is rounding, more is not.
        #expect(error([log(0.5), log(0.5008)]) == nil)
        guard case .sumTooLarge(let sum) = error([log(0.5), log(0.502)]) else {
            Issue.record("probabilities that add up to more than 1.001 passed")
            return
        }
        #expect(abs(sum - 1.002) < 1e-12)
    }

    @Test("A vocabulary that leaves no room for what is missing is too small")
    func smallVocabularies() throws {
        let best = [log(0.5), log(0.1)]
        for vocabulary in [Int.min, -1, 0, 1, 2, 3, 5] {
            do throws(EntropyBoundsError) {
                _ = try bounded(best, vocabulary: vocabulary)
                Issue.record("\(vocabulary) passed")
            } catch {
                guard case .vocabularyTooSmall(vocabulary, known: 2, let rest, largest: _) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(abs(rest - 0.4) < 1e-12)
            }
        }
        // With exactly the room there is, all others have as much as the least of the list.
        let bounds = try bounded(best, vocabulary: 6)
        #expect(abs(bounds.upper - entropy(of: [0.5, 0.1, 0.1, 0.1, 0.1, 0.1])) < 1e-12)
        #expect(abs(bounds.lower - bounds.upper) < 1e-12)
        #expect(throws: Never.self) { try bounded(best, vocabulary: .max) }
    }

    @Test("Rows are bounded in parallel, and never read outside the response")
    func rows() throws {
        var random = SeededGenerator(seed: 9)
        let count = 3000
        let k = 8
        let rows = (0..<count).map { _ in SyntheticRow(using: &random, vocabulary: 300) }
        let mask = rows.indices.map { UInt8($0 % 3 == 1 ? 0 : 1) }
        var best = rows.enumerated().flatMap { row in
            mask[row.offset] == 0 ? [Double](repeating: .nan, count: k) : Array(row.element.sorted.prefix(k))
        }
        let realised = rows.map { RealisedToken.unidentified(logProb: $0.sorted[$0.count / 2]) }
        func columns() throws -> EntropyBoundColumns {
            let tensor = DenseTensor(best, shape: [3, count / 3, k])
            let even = try #require(
                EntropyBoundColumns(
                    best: tensor, realised: realised, vocabulary: 300, responseMask: mask))
            let ragged = try #require(
                EntropyBoundColumns(
                    best: best, offsets: (0...count).map { $0 * k }, realised: realised, vocabulary: 300,
                    responseMask: mask))
            #expect(even == ragged)
            return even
        }
        let bounds = try columns()
        #expect(bounds.faults.isEmpty)
        for (index, row) in rows.enumerated() {
            guard mask[index] != 0 else {
                #expect(bounds.lower[index] == 0 && bounds.upper[index] == 0)
                continue
            }
            let alone = try bounded(Array(row.sorted.prefix(k)), realised: realised[index], vocabulary: 300)
            #expect(bounds.lower[index] == alone.lower && bounds.upper[index] == alone.upper)
            #expect(bounds.middle[index] == alone.middle)
        }
        best[6 * k] = 1
        best[2997 * k + 3] = .infinity
        let faults = try columns().faults
        #expect(faults.map(\.row) == [6, 2997])
        #expect(
            faults.map(\.error) == [.notALogProb(1, entry: 0), .notALogProb(.infinity, entry: 3)])
    }

    @Test("Nobody waits for rows that are not wanted any more, and no rows are no columns")
    func unwantedRows() {
        #expect(
            EntropyBoundColumns(
                best: [-1], offsets: [0, 1], realised: nil, vocabulary: 9, responseMask: [1],
                while: { false }) == nil)
        let none = EntropyBoundColumns(
            best: DenseTensor([], shape: [0, 5]), realised: nil, vocabulary: 9, responseMask: [])
        #expect(none?.lower == [] && none?.faults == [])
    }
}

/// The bounds of a list that may be made in place.
private func bounded(
    _ best: [Double], realised: RealisedToken = .listed, vocabulary: Int
) throws(EntropyBoundsError) -> EntropyBounds {
    try EntropyBounds(best: best.span, realised: realised, vocabulary: vocabulary)
}
