import Batches
import CNumberLists
import Perception
import TestMaterial
import Testing

/// Numbers that are held as floats of a body, or once for a sequence, beside the same numbers as Doubles.
@Suite(.serialized) struct TokenNumbersTests {
    /// The numbers as floats that begin `shift` bytes into a body, between other bytes.
    private func floats(_ values: [Float], shift: Int) -> TokenNumbers {
        var bytes = [UInt8](repeating: 0xFF, count: shift)
        for value in values {
            for place in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(place)))
            }
        }
        bytes += [0xFF, 0xFF, 0xFF]
        return TokenNumbers(floats: bytes, start: shift, count: values.count)
    }

    private func drawn(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float.random(in: 0...3, using: &random) }
    }

    @Test(arguments: [0, 1, 2, 3, 7, 8])
    func `floats at any address read as Doubles`(shift: Int) {
        let values = drawn(77, seed: 1) + [.nan, -.infinity, -0.0, .leastNonzeroMagnitude]
        let numbers = floats(values, shift: shift)
        let expected = values.map { Double($0).bitPattern }
        #expect(numbers.doubles.map(\.bitPattern) == expected)
        #expect(numbers.map(\.bitPattern) == expected)
        #expect(numbers.apart.doubles.map(\.bitPattern) == expected)
        #expect(numbers.perSequence == nil)
    }

    @Test func `one number for a sequence is that of each of its tokens`() {
        let numbers = TokenNumbers(sequences: [1.5, -2, 7], Sequences(lengths: [2, 0, 3]))
        #expect(Array(numbers) == [1.5, 1.5, 7, 7, 7])
        #expect(numbers.doubles == [1.5, 1.5, 7, 7, 7] && numbers.apart.doubles == numbers.doubles)
        #expect(numbers.perSequence?.values == [1.5, -2, 7])
    }

    @Test func `setting an element changes no other holder's numbers`() {
        for numbers in [
            TokenNumbers([1, 2, 3]), floats([1, 2, 3], shift: 1),
            TokenNumbers(sequences: [1, 2, 3], Sequences(lengths: [1, 1, 1])),
        ] {
            var changed = numbers
            changed[1] = 0.1
            changed[2] += 1
            #expect(changed.doubles == [1, 0.1, 4])
            #expect(numbers.doubles == [1, 2, 3])
        }
    }

    @Test func `no numbers have no memory`() {
        for numbers in [
            TokenNumbers([]), floats([], shift: 3), TokenNumbers(sequences: [], Sequences(lengths: [])),
        ] {
            #expect(numbers.isEmpty && numbers.doubles.isEmpty)
            let isNull = unsafe numbers.withSource { source in unsafe source.first == nil }
            #expect(isNull)
        }
    }

    @Test func `floats are compared and counted as their Doubles are, at every width`() {
        defer { number_lists_limit(number_lists_width_512) }
        let sequences = Sequences(lengths: [700, 0, 1, 33])
        let original = drawn(sequences.tokens, seed: 2)
        let removing = drawn(sequences.tokens, seed: 3).enumerated().map { $0 % 5 == 0 ? original[$0] : $1 }
        let response = (0..<sequences.tokens).map { UInt8($0 % 7 == 3 ? 0 : 1) }
        let detector = PerceptionDetector(topKRatio: 0.3)
        let wishes = DetectionWishes(deltaEntropy: true, score: true)
        func wide(_ values: [Float]) -> TokenNumbers { TokenNumbers(values.map { Double($0) }) }
        for width in [number_lists_width_baseline, number_lists_width_256, number_lists_width_512]
        where number_lists_limit(width) == width {
            for narrow in [(1, 0), (0, 2), (3, 5)] {
                let pair = (
                    narrow.0 == 0 ? wide(original) : floats(original, shift: narrow.0),
                    narrow.1 == 0 ? wide(removing) : floats(removing, shift: narrow.1)
                )
                let found = detector.detect(
                    .entropies(original: pair.0, removing: pair.1), responseMask: response,
                    sequences: sequences,
                    for: wishes)
                let twin = detector.detect(
                    .entropies(original: wide(original), removing: wide(removing)), responseMask: response,
                    sequences: sequences, for: wishes)
                #expect(found.mask == twin.mask && found.candidates == twin.candidates)
                #expect(found.narrow == twin.narrow)
                let equal = countEqual(pair.0, pair.1, wide(original), where: response)
                let tokens = response.indices.filter { response[$0] == 1 }
                #expect(equal.firstSecond == tokens.count { original[$0] == removing[$0] })
                #expect(equal.firstThird == tokens.count && equal.secondThird == equal.firstSecond)
            }
        }
    }

    @Test func `a gate opens for sequences as for their tokens`() {
        let sequences = Sequences(lengths: [3, 0, 2, 4])
        let response: [UInt8] = [1, 0, 1, 1, 1, 1, 1, 0, 1]
        let values = [0.5, 9, -1, 0.25]
        for threshold in [0, 0.25, 0.5] {
            for method in [Gate.Method.positiveAdvantage, .reward] {
                let gate = Gate(method: method, threshold: threshold)
                func open(_ numbers: TokenNumbers) -> [UInt8] {
                    gate.open(advantages: numbers, rewards: numbers, responseMask: response)
                }
                let spread = TokenNumbers(sequences: values, sequences)
                #expect(open(spread) == open(TokenNumbers(spread.doubles)))
            }
        }
    }
}
