import Batches
import Testing

@Suite struct SequencesTests {
    @Test func `a token finds its sequence among empty ones`() {
        let sequences = Sequences(lengths: [0, 2, 0, 0, 3, 0])
        #expect((0..<5).map(sequences.sequence(of:)) == [1, 1, 4, 4, 4])
        #expect(sequences.longest == 3 && sequences.tokens == 5 && sequences.count == 6)
    }

    @Test func `pieces cover every sequence, none longer than the limit`() {
        let pieces = Sequences(lengths: [0, 5, 2, 0, 3]).pieces(ofAtMost: 2)
        #expect(pieces.map(\.sequence) == [1, 1, 1, 2, 4, 4])
        #expect(pieces.map(\.tokens) == [0..<2, 2..<4, 4..<5, 5..<7, 7..<9, 9..<10])
    }
}
