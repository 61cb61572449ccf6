package import Images

/// The positions on a sheet.
///
/// Cells are in rows from the top left. All have the same size: `width`, and the height that keeps the picture's shape,
/// ⌊height · width / picture's width + ½⌋, from 1 to twice the width. A caption is below each cell.
package struct SheetLayout: Sendable, Equatable {
    /// The space between cells, and around all of them.
    static let gap = 12
    /// The space between a cell and its caption, and between the title and the first row.
    static let captionGap = 6
    /// The limit on lines of text. Longer text is cut.
    static let mostCaptionLines = 12
    static let mostTitleLines = 8
    /// The cell width from which letters have double size.
    static let wideCell = 240

    package let cell: PixelSize
    package let columns: Int
    package let rows: Int

    /// - Precondition: all numbers are at least 1.
    package init(picture: PixelSize, width: Int, columns: Int, cells: Int) {
        precondition(width > 0 && columns > 0 && cells > 0, "a sheet has at least one cell")
        let height = (picture.height * width + picture.width / 2) / picture.width
        cell = PixelSize(width: width, height: min(max(height, 1), 2 * width))
        self.columns = min(columns, cells)
        rows = (cells + self.columns - 1) / self.columns
    }

    var textSize: TextSize { cell.width >= Self.wideCell ? .double : .single }
    /// The number of characters in a line below a cell.
    var captionWidth: Int { cell.width / textSize.advance }
    var titleWidth: Int { (sheetWidth - 2 * Self.gap) / textSize.advance }
    var sheetWidth: Int { Self.gap + columns * (cell.width + Self.gap) }

    /// Returns the size of a picture in its cell: as large as fits with its shape kept. Sides are rounded and at least
    /// 1.
    package func fitted(_ size: PixelSize) -> PixelSize {
        if size.width * cell.height >= size.height * cell.width {
            let height = (size.height * cell.width + size.width / 2) / size.width
            return PixelSize(width: cell.width, height: min(max(height, 1), cell.height))
        }
        let width = (size.width * cell.height + size.height / 2) / size.height
        return PixelSize(width: min(max(width, 1), cell.width), height: cell.height)
    }

    /// The distance from the top of the sheet to the first row.
    func top(titleLines: Int) -> Int {
        Self.gap + titleLines * textSize.lineHeight + Self.captionGap
    }

    /// Returns the top of each row and the bottom of the sheet. A row is as high as its longest caption requires.
    /// - Parameter captionLines: the number of caption lines of every cell.
    func tops(titleLines: Int, captionLines: [Int]) -> [Int] {
        var tops = [top(titleLines: titleLines)]
        for row in 0..<rows {
            let lines = captionLines[row * columns..<min((row + 1) * columns, captionLines.count)].max() ?? 0
            tops.append(
                tops[row] + cell.height + Self.captionGap + lines * textSize.lineHeight + Self.gap)
        }
        return tops
    }

    /// An upper bound on the size of the sheet, whatever its captions.
    package var largestSheet: PixelSize {
        let lines = [Int](repeating: Self.mostCaptionLines, count: rows * columns)
        let height = tops(titleLines: Self.mostTitleLines, captionLines: lines)[rows]
        return PixelSize(width: sheetWidth, height: height)
    }
}
