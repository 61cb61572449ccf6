internal import Images

/// Determines whether a map takes every pixel from its own position, so that no picture of this size changes.
///
/// For an affine map, the distance between a pixel and its source is linear in column and row. For a perspective map,
/// the horizontal distance is linear in the row and the vertical one in the column. Therefore it suffices to check the
/// border, or the corners for an affine map with nearest pixels. A long border is checked at 4,096 positions on each
/// side.
struct UnchangedPixels {
    let size: PixelSize
    let interpolation: Interpolation

    private static let mostPlaces = 4096

    /// - Parameter source: returns the source of a pixel as the kernels compute it. Centers of pixels are at halves.
    func onBorder(_ source: (_ column: Int, _ row: Int) -> (x: Double, y: Double)) -> Bool {
        guard atCorners(source) else { return false }
        let (right, bottom) = (size.width - 1, size.height - 1)
        for column in stride(from: 0, through: right, by: max(1, size.width / Self.mostPlaces)) {
            guard isOwn(column, 0, source), isOwn(column, bottom, source) else { return false }
        }
        for row in stride(from: 0, through: bottom, by: max(1, size.height / Self.mostPlaces)) {
            guard isOwn(0, row, source), isOwn(right, row, source) else { return false }
        }
        return true
    }

    func atCorners(_ source: (_ column: Int, _ row: Int) -> (x: Double, y: Double)) -> Bool {
        let (right, bottom) = (size.width - 1, size.height - 1)
        return [(0, 0), (right, 0), (right, bottom), (0, bottom)].allSatisfy { isOwn($0.0, $0.1, source) }
    }

    private func isOwn(
        _ column: Int, _ row: Int, _ source: (_ column: Int, _ row: Int) -> (x: Double, y: Double)
    ) -> Bool {
        let (x, y) = source(column, row)
        guard x >= 0, x < Double(size.width), y >= 0, y < Double(size.height) else { return false }
        return isOwn(x, of: column, among: size.width) && isOwn(y, of: row, among: size.height)
    }

    /// Between two centers both pixels count, because the smallest fraction of the other one truncates some level.
    /// Beyond the outermost center only one counts.
    private func isOwn(_ position: Double, of place: Int, among count: Int) -> Bool {
        switch interpolation {
        case .nearest: Int(position) == place
        case .bilinear:
            position == Double(place) + 0.5 || (place == 0 && position < 0.5)
                || (place == count - 1 && position - 0.5 >= Double(place))
        }
    }
}

extension AffineMap {
    /// Returns whether `apply` with the picture's own size leaves every picture of this size unchanged.
    func leavesUnchanged(_ size: PixelSize, interpolation: Interpolation) -> Bool {
        let pixels = UnchangedPixels(size: size, interpolation: interpolation)
        guard interpolation == .nearest else {
            return pixels.onBorder { column, row in
                let (across, down) = (Double(column) + 0.5, Double(row) + 0.5)
                return (a * across + b * down + c, d * across + e * down + f)
            }
        }
        guard !keepsRows, staysSmall(size) else {
            return pixels.atCorners { column, row in
                let start = (x: c + b * 0.5 + a * 0.5, y: f + e * 0.5 + d * 0.5)
                return (
                    start.x + a * Double(column) + b * Double(row),
                    start.y + d * Double(column) + e * Double(row)
                )
            }
        }
        let steps = fixedSteps.map(Int.init)
        return pixels.atCorners { column, row in
            (
                Double(steps[4] + column * steps[0] + row * steps[2]) / 65536,
                Double(steps[5] + column * steps[1] + row * steps[3]) / 65536
            )
        }
    }
}

extension PerspectiveMap {
    /// Returns whether `apply` leaves every picture of this size unchanged.
    func leavesUnchanged(_ size: PixelSize, interpolation: Interpolation) -> Bool {
        UnchangedPixels(size: size, interpolation: interpolation).onBorder { column, row in
            let (across, down) = (Double(column) + 0.5, Double(row) + 0.5)
            let depth = g * across + h * down + 1
            return ((a * across + b * down + c) / depth, (d * across + e * down + f) / depth)
        }
    }
}
