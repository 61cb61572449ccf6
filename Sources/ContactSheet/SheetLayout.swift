package import Images

/// Where everything is on a sheet.
///
/// Cells stand in rows from the top left, all of one size: `width`, and the height that keeps the picture's shape,
/// ⌊height · width / picture's width + ½⌋, from 1 to twice the width. Below each is room for its caption.
package struct SheetLayout: Sendable, Equatable {
    /// Between cells, and around all of them.
    static let gap = 12
    /// Between a cell and its caption, and between the title and the first row.
    static let captionGap = 6
    /// More text than this is cut.
    static let mostCaptionLines = 12
    static let mostTitleLines = 8
    /// Cells from this width on have letters of double size.
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
    /// Characters that a line below a cell has room for.
    var captionWidth: Int { cell.width / textSize.advance }
    var titleWidth: Int { (sheetWidth - 2 * Self.gap) / textSize.advance }
    var sheetWidth: Int { Self.gap + columns * (cell.width + Self.gap) }

    /// How large a picture of this size is in its cell: as large as fits with its shape kept, sides rounded, at least 1.
    package func fitted(_ size: PixelSize) -> PixelSize {
        if size.width * cell.height >= size.height * cell.width {
            let height = (size.height * cell.width + size.width / 2) / size.width
            return PixelSize(width: cell.width, height: min(max(height, 1), cell.height))
        }
        let width = (size.width * cell.height + size.height / 2) / size.height
        return PixelSize(width: min(max(width, 1), cell.width), height: cell.height)
    }

    /// From the sheet's top to the first row.
    func top(titleLines: Int) -> Int {
        Self.gap + titleLines * textSize.lineHeight + Self.captionGap
    }

    /// Where each row begins and, last, where the sheet ends; a row is as high as its longest caption needs.
    /// - Parameter captionLines: of every cell.
    func tops(titleLines: Int, captionLines: [Int]) -> [Int] {
        var tops = [top(titleLines: titleLines)]
        for row in 0..<rows {
            let lines = captionLines[row * columns..<min((row + 1) * columns, captionLines.count)].max() ?? 0
            tops.append(
                tops[row] + cell.height + Self.captionGap + lines * textSize.lineHeight + Self.gap)
        }
        return tops
    }

    /// At least as large as the sheet, whatever its captions say.
    package var largestSheet: PixelSize {
        let lines = [Int](repeating: Self.mostCaptionLines, count: rows * columns)
        let height = tops(titleLines: Self.mostTitleLines, captionLines: lines)[rows]
        return PixelSize(width: sheetWidth, height: height)
    }
}
