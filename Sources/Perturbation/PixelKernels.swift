internal import CPixelKernels
internal import Images

/// The door to the inner loops in C, one table of them for each instruction set. All give the same bytes.
@safe
struct PixelKernels: Sendable {
    /// Static and never changed.
    private nonisolated(unsafe) let table: UnsafePointer<pixel_kernels>

    private init(_ table: UnsafePointer<pixel_kernels>) { unsafe self.table = unsafe table }

    /// What this processor runs fastest.
    static let best = unsafe PixelKernels(pixel_kernels_best())
    /// What every processor runs.
    static let portable = unsafe PixelKernels(pixel_kernels_portable_table())
}

extension PixelKernels {
    /// `level + factor · (v − level)` for every sample.
    func blend(_ samples: inout [UInt8], factor: Float, level: UInt8) {
        unsafe samples.withUnsafeMutableBufferPointer {
            unsafe table.pointee.blend_level($0.baseAddress, $0.count, factor, level)
        }
    }

    /// The same with each pixel's own luma for the level.
    func blendWithLuma(_ samples: inout [UInt8], factor: Float) {
        unsafe samples.withUnsafeMutableBufferPointer {
            unsafe table.pointee.blend_luma($0.baseAddress, $0.count / 3, factor)
        }
    }

    /// The sum over all pixels of their luma.
    func lumaSum(_ samples: [UInt8]) -> Int {
        unsafe samples.withUnsafeBufferPointer {
            Int(unsafe table.pointee.luma_sum($0.baseAddress, $0.count / 3))
        }
    }

    /// A convolution down and then across with one odd-sized kernel (at most 99 weights).
    ///
    /// - Parameter inUnits: whether levels are worth v / 255, results are 255 · x truncated and zeros lie beyond the
    ///   edge; otherwise levels are worth v, results are rounded half to even and the picture is mirrored.
    /// - Precondition: when mirroring, each side exceeds half the kernel.
    func convolve(_ image: PixelImage, weights: [Float], inUnits: Bool) -> PixelImage {
        let room = pixel_convolve_scratch(image.width, weights.count)
        return unsafe make(image.size, from: image) { picture, samples in
            unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: room) { scratch in
                unsafe weights.withUnsafeBufferPointer { weights in
                    unsafe table.pointee.convolve(
                        picture, samples, weights.baseAddress, weights.count, inUnits ? 1 : 0,
                        scratch.baseAddress)
                }
            }
        }
    }

    /// The crop at (left, top) that the weights were made for, at the given size; nil weights copy.
    func resample(
        _ image: PixelImage, left: Int, top: Int, to size: PixelSize, across: ResamplingWeights?,
        down: ResamplingWeights?
    ) -> PixelImage {
        let room = (size.width * 3 + 32) * (down?.most ?? 1)
        return unsafe make(size, from: image) { picture, samples in
            let target = unsafe pixel_target(
                samples: samples, width: size.width, height: size.height, fill: (0, 0, 0))
            unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { scratch in
                unsafe ResamplingWeights.lend(across) { across in
                    unsafe ResamplingWeights.lend(down) { down in
                        unsafe table.pointee.resample(
                            picture, left, top, target, across, down, scratch.baseAddress)
                    }
                }
            }
        }
    }

    enum Sampling {
        /// Six coefficients.
        case affineBilinear([Double]), affineNearest([Double])
        /// Six steps in 16.16 fixed point.
        case affineFixed([Int32])
        /// Eight coefficients.
        case perspectiveBilinear([Double]), perspectiveNearest([Double])
    }

    /// Every pixel of the result from where the map says; the fill where that is outside the picture.
    func sample(_ image: PixelImage, _ sampling: Sampling, size: PixelSize, fill: FillColor) -> PixelImage {
        unsafe make(size, from: image) { picture, samples in
            let target = unsafe pixel_target(
                samples: samples, width: size.width, height: size.height,
                fill: (fill.red, fill.green, fill.blue))
            let kernels = unsafe table.pointee
            switch sampling {
            case .affineBilinear(let map): unsafe kernels.affine_bilinear(picture, target, map)
            case .affineNearest(let map): unsafe kernels.affine_nearest(picture, target, map)
            case .affineFixed(let steps): unsafe kernels.affine_fixed(picture, target, steps)
            case .perspectiveBilinear(let map): unsafe kernels.perspective_bilinear(picture, target, map)
            case .perspectiveNearest(let map): unsafe kernels.perspective_nearest(picture, target, map)
            }
        }
    }

    /// A picture of the given size whose every sample `body` writes.
    private func make(
        _ size: PixelSize, from image: PixelImage,
        _ body: (_ picture: pixel_picture, _ samples: UnsafeMutablePointer<UInt8>?) -> Void
    ) -> PixelImage {
        let samples = unsafe image.samples.withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: size.pixelCount * 3) { target, count in
                count = size.pixelCount * 3
                unsafe body(
                    pixel_picture(samples: source.baseAddress, width: image.width, height: image.height),
                    target.baseAddress)
            }
        }
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }
}

extension ResamplingWeights {
    fileprivate static func lend(_ weights: ResamplingWeights?, _ body: (pixel_weights) -> Void) {
        guard let weights else { return unsafe body(pixel_weights()) }
        unsafe weights.starts.withUnsafeBufferPointer { starts in
            unsafe weights.counts.withUnsafeBufferPointer { counts in
                unsafe weights.values.withUnsafeBufferPointer { values in
                    unsafe body(
                        pixel_weights(
                            starts: starts.baseAddress, counts: counts.baseAddress,
                            values: values.baseAddress,
                            most: weights.most))
                }
            }
        }
    }
}
