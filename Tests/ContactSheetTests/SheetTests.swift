import Images
import Testing

@testable import ContactSheet

@Suite("The sheet")
struct SheetTests {
    private static func hash(_ image: PixelImage) -> UInt64 {
        image.samples.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    /// Red, green and blue cells of three shapes, one with a caption over two lines.
    private static func sheet(columns: Int) -> Sheet {
        let layout = SheetLayout(
            picture: PixelSize(width: 4, height: 3), width: 80, columns: columns, cells: 3)
        let colors = [Ink(200, 0, 0), Ink(0, 200, 0), Ink(0, 0, 200)]
        let shapes = [(4, 3), (1, 3), (4, 1)]
        let cells = zip(colors, shapes).map { color, shape in
            let size = layout.fitted(PixelSize(width: shape.0, height: shape.1))
            return Sheet.Cell(
                picture: Paper(size, color).finished(),
                caption: Caption(heading: "original", words: ["\(shape.0)x\(shape.1)", "and more"]))
        }
        return Sheet(layout, title: Caption(heading: "title", words: ["seed=7"]), cells: cells)
    }

    @Test("Every picture is in the middle of its cell, unchanged", arguments: 1...3)
    func places(columns: Int) throws {
        let sheet = Self.sheet(columns: columns)
        let drawn = try #require(sheet.drawn())
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            Array(drawn.samples[(y * drawn.width + x) * 3..<(y * drawn.width + x) * 3 + 3])
        }
        #expect(sheet.layout.cell == PixelSize(width: 80, height: 60))
        let inner = [(0, 0, 80, 60), (30, 0, 20, 60), (0, 20, 80, 20)]
        for (place, (left, top, width, height)) in inner.enumerated() {
            let x = sheet.left + place % columns * sheet.right
            let y = sheet.tops[place / columns]
            var color: [UInt8] = [0, 0, 0]
            color[place] = 200
            var wrong = 0
            for row in 0..<60 {
                for column in 0..<80 {
                    let isInside =
                        (left..<left + width).contains(column) && (top..<top + height).contains(row)
                    if (pixel(x + column, y + row) == color) != isInside { wrong += 1 }
                }
            }
            #expect(wrong == 0)
        }
        #expect(drawn.width == 12 + columns * 92)
        #expect(sheet.tops.count == sheet.layout.rows)
    }

    @Test("Captions stay below their cell and off the next row")
    func captions() throws {
        let sheet = Self.sheet(columns: 1)
        let drawn = try #require(sheet.drawn())
        func hasText(_ rows: Range<Int>) -> Bool {
            rows.contains { y in
                drawn.samples[y * drawn.width * 3..<(y + 1) * drawn.width * 3].contains { $0 < 100 }
            }
        }
        for (row, top) in sheet.tops.enumerated() {
            let end = row + 1 < sheet.tops.count ? sheet.tops[row + 1] : drawn.height
            #expect(hasText(top + 66..<top + 77) && hasText(top + 77..<top + 88))
            #expect(!hasText(end - 12..<end - 1))
        }
    }

    @Test("A sheet and the built-in pictures have the same bytes everywhere and for ever")
    func pinned() throws {
        #expect(BuiltInPicture.exercise.size == PixelSize(width: 336, height: 252))
        #expect(BuiltInPicture.scene.size == PixelSize(width: 252, height: 252))
        #expect(Self.hash(BuiltInPicture.exercise) == 8_006_680_390_388_458_417)
        #expect(Self.hash(BuiltInPicture.scene) == 7_670_956_100_928_758_502)
        #expect(Self.hash(try #require(Self.sheet(columns: 2).drawn())) == 5_341_290_115_620_883_376)
    }

    @Test("Shapes cover what they should, smoothly, and drawing beyond the paper is left out")
    func shapes() {
        var paper = Paper(PixelSize(width: 40, height: 40), .white)
        paper.disc(Place(20, 20), radius: 10, .black)
        let disc = paper.finished()
        let darkness = stride(from: 0, to: disc.samples.count, by: 3).reduce(0.0) {
            $0 + Double(255 - disc.samples[$1]) / 255
        }
        #expect(abs(darkness - 314.16) < 3)

        var other = Paper(PixelSize(width: 8, height: 8), .white)
        other.polygon([Place(-4, -4), Place(4, -4), Place(4, 4), Place(-4, 4)], .black)
        other.fill(x: 6, y: 6, width: 9, height: 9, .black)
        other.line(Place(-20, 30), Place(-10, 60), .black)
        other.write("W", x: -30, y: 90, .double, .black)
        let drawn = other.finished()
        for y in 0..<8 {
            for x in 0..<8 {
                let isBlack = max(x, y) < 4 || min(x, y) >= 6
                #expect(drawn.samples[(y * 8 + x) * 3] == (isBlack ? 0 : 255))
            }
        }
    }
}
