import Testing

@testable import ContactSheet

@Suite("The font")
struct FontTests {
    @Test("Every printable character has a shape of its own")
    func coverage() {
        #expect(BitmapFont.glyphs.count == 95)
        #expect(Set(BitmapFont.glyphs).count == 95)
        for (place, glyph) in BitmapFont.glyphs.enumerated() {
            #expect(glyph.count == BitmapFont.glyphHeight)
            let isEmpty = glyph.allSatisfy { $0 == 0 }
            #expect(isEmpty == (place == 0), "only the space is empty")
        }
    }

    @Test("The drawing is the character's, as a look at a few of them shows")
    func shapes() {
        func drawn(_ scalar: Unicode.Scalar) -> [String] {
            BitmapFont.glyph(of: scalar).map { row in
                String((0..<5).map { row >> UInt8(4 - $0) & 1 == 1 ? "#" : "." })
            }
        }
        #expect(drawn("T") == ["#####"] + Array(repeating: "..#..", count: 6) + [".....", "....."])
        #expect(drawn("-").filter { $0 != "....." } == ["#####"])
        #expect(drawn("_")[7] == "#####")
    }

    @Test("What is no printable ASCII is written as a question mark", arguments: ["é", "\n", "\u{7F}", "漢"])
    func others(_ scalar: Unicode.Scalar) {
        #expect(BitmapFont.glyph(of: scalar) == BitmapFont.glyph(of: "?"))
    }

    @Test("The double size rounds corners only: straight strokes become two dots wide, and nothing is lost")
    func double() {
        func dots(_ scalar: Unicode.Scalar, _ size: TextSize) -> Set<[Int]> {
            var dots: Set<[Int]> = []
            BitmapFont.draw(scalar, size: size) { dots.insert([$0, $1]) }
            return dots
        }
        for code in BitmapFont.printable {
            guard let scalar = Unicode.Scalar(code) else { continue }
            let (small, large) = (dots(scalar, .single), dots(scalar, .double))
            for dot in small {
                let four = [[0, 0], [1, 0], [0, 1], [1, 1]].filter {
                    large.contains([2 * dot[0] + $0[0], 2 * dot[1] + $0[1]])
                }
                #expect(four.count >= 2, "\(scalar)")
            }
            #expect(large.allSatisfy { (0..<10).contains($0[0]) && (0..<18).contains($0[1]) })
        }
        #expect(dots("|", .double).count == 4 * dots("|", .single).count)
    }
}
