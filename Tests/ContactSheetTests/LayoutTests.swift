import Images
import Testing

@testable import ContactSheet

@Suite("The layout")
struct LayoutTests {
    @Test(
        "A cell keeps the picture's shape, as far as that can be looked at",
        arguments: [
            (336, 252, 336, 252), (600, 400, 336, 224), (384, 191, 200, 99), (1, 1, 64, 64),
            (1, 5000, 100, 200), (5000, 1, 100, 1), (8192, 3, 64, 1), (3, 5, 90, 150),
        ])
    func cell(width: Int, height: Int, cell: Int, expected: Int) {
        let layout = SheetLayout(
            picture: PixelSize(width: width, height: height), width: cell, columns: 3, cells: 9)
        #expect(layout.cell == PixelSize(width: cell, height: expected))
    }

    @Test("A picture is as large as fits, and touches two sides of its cell")
    func fitted() {
        let layout = SheetLayout(
            picture: PixelSize(width: 336, height: 252), width: 168, columns: 1, cells: 1)
        #expect(layout.cell == PixelSize(width: 168, height: 126))
        for (width, height) in [(336, 252), (1, 1), (1, 900), (900, 1), (420, 408), (1404, 400), (7, 11)] {
            let fitted = layout.fitted(PixelSize(width: width, height: height))
            #expect((1...168).contains(fitted.width) && (1...126).contains(fitted.height))
            #expect(fitted.width == 168 || fitted.height == 126)
            let exact = min(168 / Double(width), 126 / Double(height))
            #expect(abs(Double(fitted.width) - max(1, exact * Double(width))) <= 0.5)
            #expect(abs(Double(fitted.height) - max(1, exact * Double(height))) <= 0.5)
        }
    }

    @Test("Rows and columns hold every cell, and no more columns than cells")
    func grid() {
        for cells in 1...12 {
            for columns in 1...16 {
                let layout = SheetLayout(
                    picture: PixelSize(width: 4, height: 3), width: 64, columns: columns, cells: cells)
                #expect(layout.columns == min(columns, cells))
                #expect(layout.rows * layout.columns >= cells)
                #expect((layout.rows - 1) * layout.columns < cells)
            }
        }
    }

    @Test("A row is as high as its longest caption, and no sheet is larger than announced")
    func rows() {
        let layout = SheetLayout(picture: PixelSize(width: 4, height: 3), width: 240, columns: 2, cells: 5)
        let tops = layout.tops(titleLines: 1, captionLines: [1, 3, 2, 2, 0])
        let (line, cell) = (22, 180 + 6 + 12)
        #expect(
            tops == [12 + line + 6, 40 + cell + 3 * line, 40 + 2 * cell + 5 * line, 40 + 3 * cell + 5 * line])
        #expect(layout.largestSheet.width == 12 + 2 * 252)
        #expect(layout.largestSheet.height == 12 + 8 * line + 6 + 3 * (cell + 12 * line))
    }
}
