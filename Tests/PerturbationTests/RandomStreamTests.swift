import Testing

@testable import Perturbation

@Suite("The random stream")
struct RandomStreamTests {
    /// Sebastiano Vigna's reference program prints these for a state of 1234567.
    @Test("The mixing function is SplitMix64's")
    func splitMix() {
        var stream = RandomStream(start: 1_234_567)
        let words = (0..<5).map { _ in stream.word() }
        #expect(
            words == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("Integers stay in their range and reach both ends")
    func integers() {
        var stream = RandomStream(seed: 1)
        var seen: Set<Int> = []
        for _ in 0..<1000 { seen.insert(stream.integer(in: -3...4)) }
        #expect(seen == Set(-3...4))
        #expect(stream.integer(in: 9...9) == 9)
    }

    @Test("Decimals have at most four digits")
    func decimals() {
        var stream = RandomStream(seed: 2)
        for _ in 0..<200 {
            let value = stream.tenThousandths(in: -100_000...100_000)
            #expect((-10...10).contains(value))
            #expect("\(value)".split(separator: ".").last.map { $0.count <= 4 } == true)
        }
    }

    @Test("Rounding to 15 decimals is Python's round(x, 15)")
    func rounding() {
        let cases: [(Double, Double)] = [
            (0.1234567890123456789, 0.123456789012346), (1e-16, 0), (6.123233995736766e-17, 0),
            (0.9961946980917455, 0.996194698091746), (-0.08715574274765817, -0.087155742747658),
            (1, 1), (-1, -1), (0.0000000000000005, 1e-15), (0.0000000000000015, 1e-15),
        ]
        for (value, expected) in cases { #expect(Decimals.rounded15(value) == expected) }
    }
}
