import Batches
import Testing

@Suite struct RowsTests {
    @Test func `a token finds its row among empty ones`() {
        let rows = Rows(lengths: [0, 2, 0, 0, 3, 0])
        #expect((0..<5).map(rows.row(of:)) == [1, 1, 4, 4, 4])
        #expect(rows.longest == 3 && rows.tokens == 5 && rows.count == 6)
    }

    @Test func `pieces cover every sequence, none longer than the limit`() {
        let pieces = Rows(lengths: [0, 5, 2, 0, 3]).pieces(ofAtMost: 2)
        #expect(pieces.map(\.row) == [1, 1, 1, 2, 4, 4])
        #expect(pieces.map(\.tokens) == [0..<2, 2..<4, 4..<5, 5..<7, 7..<9, 9..<10])
    }
}
