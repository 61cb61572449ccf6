internal import Images

/// Where each pixel of the result comes from: (x, y) ↦ (a x + b y + c, d x + e y + f), as in Pillow's `Transform.AFFINE`.
struct AffineMap {
    var a, b, c, d, e, f: Double

    func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// `image.transform(size, AFFINE, map, interpolation, fillcolor=fill)`.
    ///
    /// Bilinear levels are interpolated in Double between the four nearest pixels, whose neighbours repeat at the edge,
    /// and truncated (`bilinear_filter32RGB` of libImaging/Geometry.c). Nearest neighbours are found in 16.16 fixed
    /// point where that is exact enough for Pillow, else in Double; also in Double where rows stay rows.
    ///
    /// - Complexity: linear in the result's pixels.
    func apply(
        to image: PixelImage, size: PixelSize, interpolation: Interpolation, fill: FillColor,
        kernels: PixelKernels = .best
    ) -> PixelImage {
        let sampling: PixelKernels.Sampling =
            switch interpolation {
            case .bilinear: .affineBilinear(coefficients)
            case .nearest where !keepsRows && staysSmall(size): .affineFixed(fixedSteps)
            case .nearest: .affineNearest(coefficients)
            }
        return kernels.sample(image, sampling, size: size, fill: fill)
    }

    /// Pillow takes its `ImagingScaleAffine` then, whose sums are those of the general case in Double.
    private var keepsRows: Bool { b == 0 && d == 0 }

    private var coefficients: [Double] { [a, b, c, d, e, f] }

    /// Whether Pillow's `check_fixed` lets 16.16 fixed point serve: all four corners map to within ±32768.
    private func staysSmall(_ size: PixelSize) -> Bool {
        let (width, height) = (Double(size.width), Double(size.height))
        return [(0, 0), (width, height), (0, height), (width, 0)].allSatisfy { corner in
            let position = self(corner.0, corner.1)
            return position.x.magnitude < 32768 && position.y.magnitude < 32768
        }
    }

    /// Pillow's `affine_fixed`: steps across and down in x and y, and where the first pixel's centre lands.
    private var fixedSteps: [Int32] {
        func fixed(_ value: Double) -> Int32 {
            Int32(truncatingIfNeeded: Int((value * 65536 + 0.5).rounded(.down)))
        }
        return [
            fixed(a), fixed(d), fixed(b), fixed(e), fixed(c + a * 0.5 + b * 0.5),
            fixed(f + d * 0.5 + e * 0.5),
        ]
    }
}
