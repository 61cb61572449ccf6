internal import CPixelKernels
internal import Images

/// The Swift interface to the inner loops in C, with one table for each instruction set. All produce the same bytes.
///
/// - Throws: all functions throw if the result is no longer wanted.
@safe
struct PixelKernels: Sendable {
    /// The table is static and never changes.
    private nonisolated(unsafe) let table: UnsafePointer<pixel_kernels>

    private init(_ table: UnsafePointer<pixel_kernels>) { unsafe self.table = unsafe table }

    /// The fastest kernels for this processor.
    static let best = unsafe PixelKernels(pixel_kernels_best())
    /// The kernels for every processor.
    static let portable = unsafe PixelKernels(pixel_kernels_portable_table())
}

extension PixelKernels {
    /// The number of pixels between two checks in loops that are divided here.
    private static let band = WorkWatch.band / 3

    /// `level + factor · (v − level)` for every sample.
    func blend(
        _ samples: inout [UInt8], factor: Float, level: UInt8, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) {
        try unsafe inBands(&samples, watch) { pixels, count in
            unsafe table.pointee.blend_level(pixels, count * 3, factor, level)
        }
    }

    /// Does the same with each pixel's own luma as the level.
    func blendWithLuma(
        _ samples: inout [UInt8], factor: Float, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) {
        try unsafe inBands(&samples, watch) { pixels, count in
            unsafe table.pointee.blend_luma(pixels, count, factor)
        }
    }

    /// Converts to 8-bit HSV, moves the hue by `shift` of 256 values, and converts back.
    func turnHue(_ samples: inout [UInt8], by shift: UInt8, _ watch: WorkWatch = WorkWatch())
        throws(StepError)
    {
        try unsafe inBands(&samples, watch) { pixels, count in
            unsafe table.pointee.turn_hue(pixels, count, shift)
        }
    }

    private func inBands(
        _ samples: inout [UInt8], _ watch: WorkWatch,
        _ body: (_ pixels: UnsafeMutablePointer<UInt8>, _ count: Int) -> Void
    ) throws(StepError) {
        let isDone = unsafe samples.withUnsafeMutableBufferPointer { samples in
            guard let start = samples.baseAddress else { return true }
            let count = samples.count / 3
            for first in stride(from: 0, to: count, by: Self.band) {
                guard watch.goesOn(WorkWatch.band) else { return false }
                unsafe body(start + first * 3, min(Self.band, count - first))
            }
            return true
        }
        guard isDone else { throw .unwanted }
    }

    /// Returns the sum of the luma of all pixels.
    func lumaSum(_ samples: [UInt8], _ watch: WorkWatch = WorkWatch()) throws(StepError) -> Int {
        let sum = unsafe samples.withUnsafeBufferPointer { samples -> Int? in
            guard let start = samples.baseAddress else { return 0 }
            let count = samples.count / 3
            var sum = 0
            for first in stride(from: 0, to: count, by: Self.band) {
                guard watch.goesOn(WorkWatch.band) else { return nil }
                sum += Int(
                    unsafe table.pointee.luma_sum(start + first * 3, min(Self.band, count - first)))
            }
            return sum
        }
        guard let sum else { throw .unwanted }
        return sum
    }

    /// Convolves down and then across with one odd-sized kernel (at most 99 weights).
    ///
    /// - Parameter inUnits: if true, levels mean v / 255, results are 255 · x truncated, and zeros lie beyond the edge.
    ///   Otherwise levels mean v, results are rounded half to even, and the picture is mirrored.
    /// - Precondition: when mirroring, each side exceeds half the kernel.
    func convolve(
        _ image: PixelImage, weights: [Float], inUnits: Bool, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        let room = pixel_kernels_convolve_scratch(image.width, weights.count)
        return try unsafe Self.make(image.size, from: image) { picture, samples in
            unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: room) { scratch in
                unsafe weights.withUnsafeBufferPointer { weights in
                    unsafe table.pointee.convolve(
                        picture, samples, weights.baseAddress, weights.count, inUnits ? 1 : 0,
                        scratch.baseAddress, watch.pointer)
                }
            }
        }
    }

    /// The working memory of `convolve` in bytes, without its result.
    static func convolveBytes(_ size: PixelSize, taps: Int) -> Int {
        pixel_kernels_convolve_scratch(size.width, taps) * MemoryLayout<Float>.stride
    }

    /// Returns the crop at the given size.
    func resample(
        _ image: PixelImage, _ crop: PixelRectangle, to size: PixelSize, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        let (across, down) = Self.axes(crop, size)
        return try unsafe Self.make(size, from: image) { picture, samples in
            let target = unsafe pixel_kernels_target(
                samples: samples, width: size.width, height: size.height, fill: (0, 0, 0))
            return unsafe withUnsafeTemporaryAllocation(
                byteCount: pixel_kernels_resample_scratch(across, down), alignment: 16
            ) { scratch in
                unsafe table.pointee.resample(
                    picture, crop.left, crop.top, target, across, down, scratch.baseAddress, watch.pointer)
            }
        }
    }

    /// The working memory of `resample` in bytes, without its result.
    static func resampleBytes(_ crop: PixelRectangle, to size: PixelSize) -> Int {
        let (across, down) = axes(crop, size)
        return pixel_kernels_resample_scratch(across, down)
    }

    private static func axes(_ crop: PixelRectangle, _ size: PixelSize) -> (
        pixel_kernels_axis, pixel_kernels_axis
    ) {
        (
            pixel_kernels_axis(input: crop.width, output: size.width),
            pixel_kernels_axis(input: crop.height, output: size.height)
        )
    }

    enum Sampling {
        /// Six coefficients.
        case affineBilinear([Double]), affineNearest([Double])
        /// Six steps in 16.16 fixed point.
        case affineFixed([Int32])
        /// Eight coefficients.
        case perspectiveBilinear([Double]), perspectiveNearest([Double])
    }

    /// Samples every pixel of the result where the map says, or the fill if that is outside the picture.
    func sample(
        _ image: PixelImage, _ sampling: Sampling, size: PixelSize, fill: FillColor,
        _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        try unsafe Self.make(size, from: image) { picture, samples in
            let target = unsafe pixel_kernels_target(
                samples: samples, width: size.width, height: size.height,
                fill: (fill.red, fill.green, fill.blue))
            let (kernels, watch) = unsafe (table.pointee, watch.pointer)
            return switch sampling {
            case .affineBilinear(let map): unsafe kernels.affine_bilinear(picture, target, map, watch)
            case .affineNearest(let map): unsafe kernels.affine_nearest(picture, target, map, watch)
            case .affineFixed(let steps): unsafe kernels.affine_fixed(picture, target, steps, watch)
            case .perspectiveBilinear(let map):
                unsafe kernels.perspective_bilinear(picture, target, map, watch)
            case .perspectiveNearest(let map):
                unsafe kernels.perspective_nearest(picture, target, map, watch)
            }
        }
    }

    /// Returns a picture whose cell i is cell `order[i]` of this one; see `PatchGrid`. All instruction sets share one
    /// loop.
    ///
    /// - Precondition: `order` contains a valid cell number for each whole cell.
    static func shuffle(
        _ image: PixelImage, side: Int, order: [UInt32], _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        let grid = PatchGrid(size: image.size, side: side)
        precondition(order.count == grid.wholeRows * grid.wholeColumns, "one number for each cell")
        return try unsafe make(image.size, from: image) { picture, samples in
            unsafe order.withUnsafeBufferPointer { order in
                unsafe pixel_kernels_shuffle(picture, samples, side, order.baseAddress, watch.pointer)
            }
        }
    }

    /// Creates a picture of the given size. `body` writes every sample, or returns 0 if it stopped.
    private static func make(
        _ size: PixelSize, from image: PixelImage,
        _ body: (_ picture: pixel_kernels_picture, _ samples: UnsafeMutablePointer<UInt8>?) -> Int32
    ) throws(StepError) -> PixelImage {
        var isDone = false
        let samples = unsafe image.pixels.withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: size.pixelCount * 3) { target, count in
                let picture = unsafe pixel_kernels_picture(
                    samples: source.baseAddress, width: image.width, height: image.height)
                isDone = unsafe body(picture, target.baseAddress) != 0
                count = isDone ? size.pixelCount * 3 : 0
            }
        }
        guard isDone else { throw .unwanted }
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }
}
