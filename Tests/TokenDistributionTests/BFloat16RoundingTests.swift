import Tensor
import Testing
import TokenDistribution

@Suite("Rounding to bfloat16")
struct BFloat16RoundingTests {
    /// The nearer of the two neighbours, and of two equally near the even one; beyond the largest, 2^128 stands for infinity.
    private static func obvious(_ value: Float) -> UInt16 {
        func place(_ pattern: UInt16) -> Double {
            pattern & 0x7FFF == 0x7F80 ? 0x1p128 : Double(bfloat16ToFloat(pattern)).magnitude
        }
        let below = UInt16(value.bitPattern >> 16)
        let above = below + 1
        let (down, up) = (Double(value).magnitude - place(below), place(above) - Double(value).magnitude)
        return down < up ? below : up < down ? above : below % 2 == 0 ? below : above
    }

    /// All that are bfloat16 themselves, and what lies around the middle between them.
    private static let floats: [Float] = (0...UInt32(UInt16.max)).flatMap { upper in
        [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF].map { Float(bitPattern: upper << 16 | $0) }
    }.filter { $0.magnitude < 0x1.ffp127 }

    private func rounded(
        _ floats: [Float], _ set: InstructionSet, offset: Int = 0
    ) -> (bfloat16s: [UInt16], areFinite: Bool) {
        var bfloat16s = [UInt16](repeating: 0xABCD, count: floats.count + offset + 1)
        let areFinite = unsafe floats.withUnsafeBufferPointer { floats in
            unsafe bfloat16s.withUnsafeMutableBytes { room in
                let results = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: room[2 * offset..<2 * (offset + floats.count)])
                return unsafe roundToBFloat16(floats, into: results, instructionSet: set)
            }
        }
        #expect(bfloat16s[..<offset].allSatisfy { $0 == 0xABCD } && bfloat16s.last == 0xABCD, "left alone")
        return (Array(bfloat16s[offset..<offset + floats.count]), areFinite)
    }

    @Test("It is exact, with the same bits by every instruction set")
    func exact() {
        let floats = BFloat16RoundingTests.floats
        #expect(floats.count > 6 * 65_000)
        let expected = floats.map(BFloat16RoundingTests.obvious)
        #expect(floats.map(nearestBFloat16) == expected)
        for set in InstructionSet.available {
            let found = rounded(floats, set)
            #expect(found.areFinite && found.bfloat16s == expected, "\(set)")
        }
    }

    @Test("Lists of any length at any place")
    func lengths() {
        let floats = (0..<70).map { Float($0) * 0.37 - 9 }
        for count in 0...70 {
            let expected = floats.prefix(count).map(BFloat16RoundingTests.obvious)
            for set in InstructionSet.available {
                let found = rounded(Array(floats.prefix(count)), set, offset: count % 3)
                #expect(found.areFinite && found.bfloat16s == expected)
            }
        }
    }

    @Test(
        "What has no finite one is told, wherever it stands",
        arguments: [0x1.ffp127, .infinity, .nan] as [Float])
    func tooLarge(_ value: Float) {
        for set in InstructionSet.available {
            for count in [1, 16, 37] {
                for place in 0..<count {
                    for sign: Float in [1, -1] {
                        var floats = [Float](repeating: 0x1.fefffep127, count: count)
                        #expect(rounded(floats, set).areFinite)
                        floats[place] = sign * value
                        #expect(!rounded(floats, set).areFinite)
                    }
                }
            }
        }
    }
}
