internal import Images

/// The source of each pixel of the result, as in Pillow's `Transform.PERSPECTIVE`: (x, y) ↦ ((a x + b y + c) / (g x + h
/// y + 1), (d x + e y + f) / (g x + h y + 1)).
struct PerspectiveMap {
    let a, b, c, d, e, f, g, h: Double

    /// The map that takes each of four points to the point of the same index in `targets`, its coefficients rounded to
    /// Float32 as torchvision rounds them.
    ///
    /// Two equations per pair: a x + b y + c − x' (g x + h y) = x' and d x + e y + f − y' (g x + h y) = y'.
    init(from points: [(x: Double, y: Double)], to targets: [(x: Double, y: Double)]) {
        var rows: [[Double]] = []
        for (point, target) in zip(points, targets) {
            rows.append([point.x, point.y, 1, 0, 0, 0, -target.x * point.x, -target.x * point.y, target.x])
            rows.append([0, 0, 0, point.x, point.y, 1, -target.y * point.x, -target.y * point.y, target.y])
        }
        let solution = Self.solve(rows).map { Double(Float($0)) }
        (a, b, c, d) = (solution[0], solution[1], solution[2], solution[3])
        (e, f, g, h) = (solution[4], solution[5], solution[6], solution[7])
    }

    /// Gaussian elimination with partial pivoting on an augmented matrix whose rows are first brought to like size.
    private static func solve(_ augmented: [[Double]]) -> [Double] {
        let count = augmented.count
        var rows = augmented.map { row in
            let largest = row.dropLast().reduce(0) { max($0, $1.magnitude) }
            return row.map { $0 / largest }
        }
        for column in 0..<count {
            let pivot =
                (column..<count).max { rows[$0][column].magnitude < rows[$1][column].magnitude } ?? column
            rows.swapAt(column, pivot)
            for row in (column + 1)..<max(count, column + 1) {
                let factor = rows[row][column] / rows[column][column]
                for index in column...count { rows[row][index] -= factor * rows[column][index] }
            }
        }
        var solution = [Double](repeating: 0, count: count)
        for row in (0..<count).reversed() {
            let known = ((row + 1)..<max(count, row + 1)).reduce(0) { $0 + rows[row][$1] * solution[$1] }
            solution[row] = (rows[row][count] - known) / rows[row][row]
        }
        return solution
    }

    /// `image.transform(image.size, PERSPECTIVE, map, interpolation, fillcolor=fill)`; sampled as `AffineMap` samples in
    /// Double. Linear in the pixels.
    func apply(
        to image: PixelImage, interpolation: Interpolation, fill: FillColor, kernels: PixelKernels = .best,
        _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        let coefficients = [a, b, c, d, e, f, g, h]
        let sampling: PixelKernels.Sampling =
            switch interpolation {
            case .bilinear: .perspectiveBilinear(coefficients)
            case .nearest: .perspectiveNearest(coefficients)
            }
        return try kernels.sample(image, sampling, size: image.size, fill: fill, watch)
    }
}
