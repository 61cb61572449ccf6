package import Images

/// Pictures side by side with captions, and a title above them.
package struct Sheet: Sendable {
    package struct Cell: Sendable {
        /// The picture in the size that the layout gives it; nil if only the size of the sheet is needed.
        let picture: PixelImage?
        let caption: Caption

        package init(picture: PixelImage?, caption: Caption) {
            self.picture = picture
            self.caption = caption
        }
    }

    package let layout: SheetLayout
    private let cells: [Cell]
    private let title: [Caption.Line]
    private let captions: [[Caption.Line]]

    private static let background = Ink(247, 247, 249)
    private static let emptiness = Ink(228, 229, 233)
    private static let frame = Ink(150, 152, 160)
    private static let text = Ink(52, 54, 64)
    private static let heading = Ink(0, 72, 170)

    package init(_ layout: SheetLayout, title: Caption, cells: [Cell]) {
        self.layout = layout
        self.cells = cells
        self.title = title.lines(width: layout.titleWidth, atMost: SheetLayout.mostTitleLines)
        captions = cells.map {
            $0.caption.lines(width: layout.captionWidth, atMost: SheetLayout.mostCaptionLines)
        }
    }

    /// The left of the first column, and the distance between columns.
    package var left: Int { SheetLayout.gap }
    package var right: Int { layout.cell.width + SheetLayout.gap }
    /// The top of every row.
    package var tops: [Int] { edges.dropLast() }

    /// The top of every row, and the bottom of the sheet.
    private var edges: [Int] {
        layout.tops(titleLines: title.count, captionLines: captions.map(\.count))
    }

    /// The size of the whole sheet.
    package var size: PixelSize { PixelSize(width: layout.sheetWidth, height: edges[layout.rows]) }

    /// Draws the whole sheet. Each picture is centered in its cell.
    /// - Returns: nil if the sheet is no longer wanted.
    /// - Complexity: linear in the sheet's pixels.
    package func drawn(_ watch: WorkWatch = WorkWatch()) -> PixelImage? {
        let edges = edges
        var paper = Paper(size, Self.background, watch)
        write(title, x: SheetLayout.gap, y: SheetLayout.gap, on: &paper)
        for (place, cell) in cells.enumerated() {
            let (x, y) = (left + place % layout.columns * right, edges[place / layout.columns])
            let (width, height) = (layout.cell.width, layout.cell.height)
            paper.fill(x: x - 1, y: y - 1, width: width + 2, height: height + 2, Self.frame)
            paper.fill(x: x, y: y, width: width, height: height, Self.emptiness)
            if let picture = cell.picture {
                paper.paste(
                    picture, x: x + (width - picture.width) / 2, y: y + (height - picture.height) / 2)
            }
            write(captions[place], x: x, y: y + height + SheetLayout.captionGap, on: &paper)
        }
        return watch.isOver ? nil : paper.finished()
    }

    private func write(_ lines: [Caption.Line], x: Int, y: Int, on paper: inout Paper) {
        let size = layout.textSize
        for (number, line) in lines.enumerated() {
            let row = y + number * size.lineHeight
            paper.write(line.text.prefix(line.headingCount), x: x, y: row, size, Self.heading)
            paper.write(
                line.text.dropFirst(line.headingCount), x: x + line.headingCount * size.advance, y: row,
                size,
                Self.text)
        }
    }
}
