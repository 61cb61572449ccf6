import Batches
import TestMaterial
import Testing

@Suite struct MaskTests {
    @Test(arguments: [0, 1, 7, 8, 9, 100, 1003])
    func `counts and sums agree with the obvious ones`(length: Int) {
        var random = SeededGenerator(seed: UInt64(length))
        let mask = (0..<length + 9).map { _ in UInt8.random(in: 0...1, using: &random) }
        let values = mask.map { $0 == 1 ? Double.random(in: -1...1, using: &random) : .nan }
        let range = 5..<5 + length
        let chosen = range.filter { mask[$0] == 1 }
        #expect(count(of: mask.span, in: range) == chosen.count)
        let twin = chosen.reduce(0) { $0 + values[$1] }
        #expect(abs(sum(of: values.span, where: mask.span, in: range) - twin) <= 1e-13)
    }

    @Test func `a sum doesn't depend on where its range lies`() {
        var random = SeededGenerator(seed: 3)
        let values = (0..<101).map { _ in Double.random(in: 0...1e9, using: &random) }
        let mask = (0..<101).map { UInt8($0 % 3 == 0 ? 0 : 1) }
        let alone = sum(of: values.span, where: mask.span, in: 0..<101)
        for shift in 1..<10 {
            let moved = [Double](repeating: 9, count: shift) + values
            let shifted = [UInt8](repeating: 1, count: shift) + mask
            #expect(sum(of: moved.span, where: shifted.span, in: shift..<shift + 101) == alone)
        }
    }

    @Test func `an intersection is where both are`() {
        #expect(intersection(of: [0, 0, 1, 1], and: [0, 1, 0, 1]) == [0, 0, 0, 1])
        #expect(intersection(of: [], and: []) == [])
    }
}
