internal import Images

/// Square cells of a picture, from the top left; those at the right and bottom edges may be cut.
struct PatchGrid {
    let size: PixelSize
    let side: Int

    var columns: Int { (size.width + side - 1) / side }
    var rows: Int { (size.height + side - 1) / side }
    /// Cells that are not cut, counted the same way.
    var wholeColumns: Int { size.width / side }
    var wholeRows: Int { size.height / side }
}
