import Batches
import CNumberLists
import Testing

/// The C code over lists at every register width, beside loops that are obviously right.
@Suite(.serialized) struct NumberListTests {
    private static let widths = [number_lists_width_baseline, number_lists_width_256, number_lists_width_512]

    private func atEveryWidth(_ body: () -> Void) {
        defer { number_lists_limit(number_lists_width_512) }
        for width in NumberListTests.widths where number_lists_limit(width) == width { body() }
    }

    /// Numbers of all kinds, with some infinities and NaNs where `isStrange`.
    private func numbers(_ count: Int, isStrange: Bool = false) -> [Double] {
        (0..<count).map { index in
            if isStrange, index % 11 == 5 { return [Double.nan, .infinity, -.infinity][index % 3] }
            return Double((index &* 7919) % 1009 - 500) / 64
        }
    }

    @Test(arguments: [false, true])
    func `sums, counts and choices are those of plain loops`(isStrange: Bool) {
        atEveryWidth {
            for count in [0, 1, 7, 8, 9, 31, 32, 33, 64, 300, 9000] {
                let values = numbers(count, isStrange: isStrange)
                let others = values.enumerated().map { $0 % 3 == 0 ? $1 : 0.25 }
                let mask = (0..<count).map { UInt8($0 % 5 == 2 ? 0 : 1) }
                let chosen = (0..<count).filter { mask[$0] == 1 }
                #expect(Batches.count(of: mask.span, in: 0..<count) == chosen.count)
                let equal = countEqual(
                    TokenNumbers(values), TokenNumbers(others), TokenNumbers(values), where: mask)
                #expect(equal.firstSecond == chosen.count { values[$0] == others[$0] })
                #expect(equal.firstThird == chosen.count { values[$0] == values[$0] })
                #expect(equal.secondThird == equal.firstSecond)
                for orEqual in [false, true] {
                    var found = [UInt8](repeating: 9, count: count)
                    var span = found.mutableSpan
                    choose(above: 0.25, orEqual: orEqual, from: mask.span, values.span, in: 0..<count, &span)
                    let twin = (0..<count).map { index -> UInt8 in
                        mask[index] == 1 && (orEqual ? values[index] >= 0.25 : values[index] > 0.25) ? 1 : 0
                    }
                    #expect(found == twin)
                }
                let (list, firstNonFinite) = FloatList.narrowing(values)
                #expect(list.map(\.bitPattern) == values.map { Float($0).bitPattern })
                #expect(firstNonFinite == values.firstIndex { !$0.isFinite })
                #expect(list.firstNonFinite == firstNonFinite)
                #expect(list.bytes.count == 4 * count)
            }
        }
    }

    @Test func `an optional list is lent to be written, as a null pointer if it is absent or empty`() {
        for absent in [nil, FloatList(zeros: 0)] {
            var list = absent
            var isNull = false
            unsafe list.withMutableFloats { floats in isNull = unsafe floats == nil }
            #expect(isNull)
        }
        var list: FloatList? = [1, 2]
        list?.markFinite()
        unsafe list.withMutableFloats { floats in unsafe floats?[1] = .infinity }
        #expect(list == [1, .infinity] && list?.firstNonFinite == 1)
    }

    @Test func `a sum has the same bits at every width`() {
        let values = numbers(9001).map { $0 * 0.1 }
        let mask = values.indices.map { UInt8($0 % 3 == 0 ? 0 : 1) }
        var sums: Set<UInt64> = []
        atEveryWidth { sums.insert(sum(of: values.span, where: mask.span, in: 0..<9001).bitPattern) }
        #expect(sums.count == 1)
    }

    @Test func `a double beyond Float's range is no finite float`() {
        let (list, first) = FloatList.narrowing([1, -2, 1e300, 3])
        #expect(first == 2 && list[1] == -2 && list[2] == .infinity)
        #expect(FloatList.narrowing([]).list.isEmpty && FloatList(zeros: 2) == [0, 0])
    }
}
