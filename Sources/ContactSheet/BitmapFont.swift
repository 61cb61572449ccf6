/// A fixed-width font for printable ASCII. Any other character is drawn as `?`.
enum BitmapFont {
    static let glyphWidth = 5
    static let glyphHeight = 9
    /// The distance between characters, and between lines.
    static let advance = 6
    static let lineHeight = 11

    static let printable = 0x20...0x7E

    /// The rows of each glyph from the top. Bit 4 is the leftmost dot.
    static let glyphs: [[UInt8]] = {
        var glyphs: [[UInt8]] = []
        let lines = GlyphShapes.bands.split(separator: "\n")
        for band in 0..<lines.count / glyphHeight {
            let rows = (0..<glyphHeight).map { Array(lines[band * glyphHeight + $0].utf8) }
            for start in stride(from: 0, to: rows[0].count, by: advance) {
                glyphs.append(
                    rows.map { row in
                        row[start..<start + glyphWidth].reduce(0) {
                            $0 << 1 | ($1 == UInt8(ascii: "#") ? 1 : 0)
                        }
                    })
            }
        }
        return glyphs
    }()

    static func glyph(of scalar: Unicode.Scalar) -> [UInt8] {
        let code = printable.contains(Int(scalar.value)) ? Int(scalar.value) : 0x3F
        return glyphs[code - printable.lowerBound]
    }

    /// Returns whether a dot has ink. Dots outside the glyph have none.
    private static func hasInk(_ glyph: [UInt8], _ x: Int, _ y: Int) -> Bool {
        guard glyph.indices.contains(y), (0..<glyphWidth).contains(x) else { return false }
        return glyph[y] >> UInt8(glyphWidth - 1 - x) & 1 == 1
    }

    /// Calls `dot` with every inked dot of a glyph. At size 2 each dot becomes four. A corner gets the color of the two
    /// neighbours that meet there if these agree and the other two do not. This rule, known as EPX or Scale2x, smooths
    /// slanted strokes.
    static func draw(_ scalar: Unicode.Scalar, size: TextSize, _ dot: (_ x: Int, _ y: Int) -> Void) {
        let glyph = glyph(of: scalar)
        for y in 0..<glyphHeight {
            for x in 0..<glyphWidth {
                let ink = hasInk(glyph, x, y)
                guard size == .double else {
                    if ink { dot(x, y) }
                    continue
                }
                let (up, down) = (hasInk(glyph, x, y - 1), hasInk(glyph, x, y + 1))
                let (left, right) = (hasInk(glyph, x - 1, y), hasInk(glyph, x + 1, y))
                for (corner, (first, second, third, fourth)) in [
                    (up, left, right, down), (up, right, left, down), (down, left, right, up),
                    (down, right, left, up),
                ].enumerated() {
                    let isRounded = first == second && first != third && second != fourth
                    if isRounded ? first : ink { dot(2 * x + corner % 2, 2 * y + corner / 2) }
                }
            }
        }
    }
}

/// The width of a dot of the font in pixels.
enum TextSize: Int, Sendable {
    case single = 1
    case double = 2

    var advance: Int { BitmapFont.advance * rawValue }
    var lineHeight: Int { BitmapFont.lineHeight * rawValue }
}
