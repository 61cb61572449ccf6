internal import Images

/// Where each pixel of the result comes from: (x, y) ↦ (a x + b y + c, d x + e y + f), as in Pillow's `Transform.AFFINE`.
struct AffineMap {
    var a, b, c, d, e, f: Double

    func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// `image.transform(size, AFFINE, map, interpolation, fillcolor=fill)`.
    ///
    /// - Complexity: linear in the result's pixels.
    func apply(
        to image: PixelImage, size: PixelSize, interpolation: Interpolation, fill: FillColor
    ) -> PixelImage {
        var canvas = Canvas(size, fill: fill)
        switch interpolation {
        case .bilinear: sampleBilinear(image, into: &canvas)
        case .nearest where b == 0 && d == 0: sampleNearestScaled(image, into: &canvas)
        case .nearest where staysSmall(size): sampleNearestFixed(image, into: &canvas)
        case .nearest: sampleNearest(image, into: &canvas)
        }
        return canvas.finished()
    }

    private func sampleBilinear(_ image: PixelImage, into canvas: inout Canvas) {
        let sampler = PixelSampler(width: image.width, height: image.height)
        let (width, height) = (canvas.size.width, canvas.size.height)
        let source = image.samples.span
        var target = canvas.samples.mutableSpan
        var offset = 0
        for row in 0..<height {
            for column in 0..<width {
                let position = self(Double(column) + 0.5, Double(row) + 0.5)
                sampler.write(x: position.x, y: position.y, from: source, to: &target, at: offset)
                offset += 3
            }
        }
    }

    /// Pillow's `ImagingScaleAffine`, which it takes where rows stay rows: positions are summed up in Double, rows and
    /// columns apart.
    private func sampleNearestScaled(_ image: PixelImage, into canvas: inout Canvas) {
        func places(_ count: Int, from start: Double, by step: Double, below limit: Int) -> [Int?] {
            var position = start
            return (0..<count).map { _ in
                defer { position += step }
                return position >= 0 && position < Double(limit) ? Int(position) : nil
            }
        }
        let columns = places(canvas.size.width, from: c + a * 0.5, by: a, below: image.width)
        let rows = places(canvas.size.height, from: f + e * 0.5, by: e, below: image.height)
        let width = canvas.size.width
        let source = image.samples.span
        var target = canvas.samples.mutableSpan
        for (row, sourceRow) in rows.enumerated() {
            guard let sourceRow else { continue }
            var offset = row * width * 3
            for column in columns {
                if let column {
                    let from = (sourceRow * image.width + column) * 3
                    target[offset] = source[from]
                    target[offset + 1] = source[from + 1]
                    target[offset + 2] = source[from + 2]
                }
                offset += 3
            }
        }
    }

    /// Whether Pillow's `check_fixed` lets 16.16 fixed point serve: all four corners map to within ±32768.
    private func staysSmall(_ size: PixelSize) -> Bool {
        let (width, height) = (Double(size.width), Double(size.height))
        return [(0, 0), (width, height), (0, height), (width, 0)].allSatisfy { corner in
            let position = self(corner.0, corner.1)
            return position.x.magnitude < 32768 && position.y.magnitude < 32768
        }
    }

    /// Pillow's `affine_fixed`: nearest neighbour, stepping in 16.16 fixed point.
    private func sampleNearestFixed(_ image: PixelImage, into canvas: inout Canvas) {
        func fixed(_ value: Double) -> Int32 {
            Int32(truncatingIfNeeded: Int((value * 65536 + 0.5).rounded(.down)))
        }
        let (acrossX, acrossY) = (fixed(a), fixed(d))
        let (downX, downY) = (fixed(b), fixed(e))
        var startX = fixed(c + a * 0.5 + b * 0.5)
        var startY = fixed(f + d * 0.5 + e * 0.5)
        let (width, height) = (canvas.size.width, canvas.size.height)
        let source = image.samples.span
        var target = canvas.samples.mutableSpan
        var offset = 0
        for _ in 0..<height {
            var (x, y) = (startX, startY)
            for _ in 0..<width {
                let (column, row) = (Int(x >> 16), Int(y >> 16))
                if column >= 0, column < image.width, row >= 0, row < image.height {
                    let from = (row * image.width + column) * 3
                    target[offset] = source[from]
                    target[offset + 1] = source[from + 1]
                    target[offset + 2] = source[from + 2]
                }
                x &+= acrossX
                y &+= acrossY
                offset += 3
            }
            startX &+= downX
            startY &+= downY
        }
    }

    /// Pillow's `ImagingTransformAffine` for large pictures: nearest neighbour, stepping in Double.
    private func sampleNearest(_ image: PixelImage, into canvas: inout Canvas) {
        var startX = c + b * 0.5 + a * 0.5
        var startY = f + e * 0.5 + d * 0.5
        let (width, height) = (canvas.size.width, canvas.size.height)
        let source = image.samples.span
        var target = canvas.samples.mutableSpan
        var offset = 0
        for _ in 0..<height {
            var (x, y) = (startX, startY)
            for _ in 0..<width {
                if x >= 0, x < Double(image.width), y >= 0, y < Double(image.height) {
                    let from = (Int(y) * image.width + Int(x)) * 3
                    target[offset] = source[from]
                    target[offset + 1] = source[from + 1]
                    target[offset + 2] = source[from + 2]
                }
                x += a
                y += d
                offset += 3
            }
            startX += b
            startY += e
        }
    }
}
