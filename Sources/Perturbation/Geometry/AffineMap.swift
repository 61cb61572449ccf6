internal import Images

/// The source of each pixel of the result: (x, y) ↦ (a x + b y + c, d x + e y + f), as in Pillow's `Transform.AFFINE`.
struct AffineMap {
    var a, b, c, d, e, f: Double

    func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// `image.transform(size, AFFINE, map, interpolation, fillcolor=fill)`.
    ///
    /// Bilinear levels are interpolated in Double between the four nearest pixels, whose neighbours repeat at the edge,
    /// and truncated (`bilinear_filter32RGB` of libImaging/Geometry.c). Nearest neighbours are found in 16.16 fixed
    /// point where that is exact enough for Pillow, else in Double.
    ///
    /// - Complexity: linear in the result's pixels.
    func apply(
        to image: PixelImage, size: PixelSize, interpolation: Interpolation, fill: FillColor,
        kernels: PixelKernels = .best, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        if interpolation == .nearest, keepsRows { return try sampledByRows(image, size, fill, watch) }
        let sampling: PixelKernels.Sampling =
            switch interpolation {
            case .bilinear: .affineBilinear(coefficients)
            case .nearest where staysSmall(size): .affineFixed(fixedSteps)
            case .nearest: .affineNearest(coefficients)
            }
        return try kernels.sample(image, sampling, size: size, fill: fill, watch)
    }

    var keepsRows: Bool { b == 0 && d == 0 }

    private var coefficients: [Double] { [a, b, c, d, e, f] }

    /// Pillow's `ImagingScaleAffine`, used if rows stay rows. Positions are summed in Double, separately for rows and
    /// columns.
    private func sampledByRows(
        _ image: PixelImage, _ size: PixelSize, _ fill: FillColor, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage {
        func place(_ position: Double, below limit: Int) -> Int? {
            position >= 0 && position < Double(limit) ? Int(position) : nil
        }
        let pixels = image.pixels
        let source = pixels.span
        var samples = try PixelImage.blankSamples(size, fill, watch)
        var target = samples.mutableSpan
        var down = f + e * 0.5
        for row in 0..<size.height {
            defer { down += e }
            try watch.goOn(16)
            guard let sourceRow = place(down, below: image.height) else { continue }
            // Summed again in every row, because a strip has too many columns to store their positions.
            var across = c + a * 0.5
            var offset = row * size.width * 3
            for _ in 0..<size.width {
                try watch.goOn(8)
                if let column = place(across, below: image.width) {
                    let from = (sourceRow * image.width + column) * 3
                    target[offset] = source[from]
                    target[offset + 1] = source[from + 1]
                    target[offset + 2] = source[from + 2]
                }
                across += a
                offset += 3
            }
        }
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }

    /// Returns whether 16.16 fixed point suffices according to Pillow's `check_fixed`: all four corners map to within
    /// ±32768.
    func staysSmall(_ size: PixelSize) -> Bool {
        let (width, height) = (Double(size.width), Double(size.height))
        return [(0, 0), (width, height), (0, height), (width, 0)].allSatisfy { corner in
            let position = self(corner.0, corner.1)
            return position.x.magnitude < 32768 && position.y.magnitude < 32768
        }
    }

    /// Pillow's `affine_fixed`: the steps across and down in x and y, and the position of the first pixel's center.
    var fixedSteps: [Int32] {
        func fixed(_ value: Double) -> Int32 {
            Int32(truncatingIfNeeded: Int((value * 65536 + 0.5).rounded(.down)))
        }
        return [
            fixed(a), fixed(d), fixed(b), fixed(e), fixed(c + a * 0.5 + b * 0.5),
            fixed(f + d * 0.5 + e * 0.5),
        ]
    }
}
