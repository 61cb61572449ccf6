import Images
import TestMaterial
import Testing

@testable import Perturbation

/// Sizes around the kernels' blocks of 8, 32, 64 and 256, and those with hardly any inside.
@Suite("Every table of kernels gives what its slow twin gives")
struct KernelTests {
    static let sizes = [
        (1, 1), (1, 7), (9, 1), (2, 2), (3, 2), (10, 11), (64, 3), (65, 4), (257, 3), (37, 23), (150, 40),
    ].map {
        PixelSize(width: $0.0, height: $0.1)
    }
    private let tables = [PixelKernels.portable, PixelKernels.best]

    /// Noise with flat parts, where truncation shows.
    private func picture(_ size: PixelSize) -> PixelImage {
        var generator = SeededGenerator(seed: UInt64(size.width * 1000 + size.height))
        let samples = (0..<(size.pixelCount * 3)).map { index in
            index / 96 % 3 == 0
                ? UInt8(truncatingIfNeeded: index / 96 * 85) : UInt8.random(in: 0...255, using: &generator)
        }
        return PixelImage(width: size.width, height: size.height, samples: samples)
    }

    @Test("Blends", arguments: sizes, [0, 0.37, 0.999, 1.3, 100] as [Float])
    func blends(_ size: PixelSize, _ factor: Float) throws {
        let samples = picture(size).samples
        let lumas = (0..<size.pixelCount).map { KernelTwins.luma(samples[($0 * 3)..<($0 * 3 + 3)]) }
        for kernels in tables {
            #expect(try kernels.lumaSum(samples) == lumas.reduce(0, +))
            var blended = samples
            try kernels.blend(&blended, factor: factor, level: 77)
            #expect(blended == KernelTwins.blended(samples, factor: factor) { _ in 77 })
            blended = samples
            try kernels.blendWithLuma(&blended, factor: factor)
            #expect(blended == KernelTwins.blended(samples, factor: factor) { lumas[$0] })
        }
    }

    @Test("Lumas of many pixels do not overflow")
    func manyLumas() throws {
        let samples = [UInt8](repeating: 255, count: 70_000 * 3)
        for kernels in tables { #expect(try kernels.lumaSum(samples) == 70_000 * 255) }
    }

    @Test("Convolutions", arguments: sizes, [1, 3, 5, 13])
    func convolutions(_ size: PixelSize, _ taps: Int) throws {
        let image = picture(size)
        let weights = GaussianKernel.reference(size: taps, sigma: 1.7)
        for kernels in tables {
            let zeros = try kernels.convolve(image, weights: weights, inUnits: true)
            #expect(zeros.samples == KernelTwins.convolved(image, weights, inUnits: true))
            guard taps / 2 < min(size.width, size.height) else { continue }
            let mirrored = try kernels.convolve(image, weights: weights, inUnits: false)
            #expect(mirrored.samples == KernelTwins.convolved(image, weights, inUnits: false))
        }
    }

    @Test(
        "Crops at another size", arguments: sizes,
        [(1, 1), (5, 9), (70, 2), (33, 40)].map { PixelSize(width: $0.0, height: $0.1) })
    func crops(_ size: PixelSize, _ target: PixelSize) throws {
        let image = picture(size)
        let crop = PixelRectangle(
            left: size.width / 4, top: size.height / 3, width: size.width - size.width / 4,
            height: size.height - size.height / 3)
        for kernels in tables {
            let result = try Resampling.bilinear(image, crop: crop, to: target, kernels: kernels)
            #expect(result.samples == KernelTwins.zoomed(image, crop, to: target))
        }
    }

    static let maps = [
        AffineMap(a: 0.9, b: 0.2, c: -1.5, d: -0.2, e: 0.9, f: 2),
        AffineMap(a: 1, b: 0, c: 0, d: 0, e: 1, f: 0),
        AffineMap(a: -1, b: 0, c: 12, d: 0, e: -0.5, f: 9),
        AffineMap(a: 3, b: 1, c: 40_000, d: 1, e: 2, f: 0),
        // Shares that are quarters and halves: many levels are whole numbers, or come near to one.
        AffineMap(a: 0.5, b: 0.25, c: 3, d: -0.25, e: 0.5, f: 17),
        AffineMap(a: 1, b: 0x1p-20, c: 1, d: 0x1p-20, e: 1, f: 1),
    ]

    @Test("Affine maps", arguments: sizes, maps)
    func affine(_ size: PixelSize, _ map: AffineMap) throws {
        let image = picture(size)
        let target = PixelSize(width: size.width + 3, height: size.height + 1)
        let fill = FillColor(red: 1, green: 20, blue: 255)
        for kernels in tables {
            let result = try map.apply(
                to: image, size: target, interpolation: .bilinear, fill: fill, kernels: kernels)
            #expect(
                result.samples
                    == KernelTwins.sampled(image, to: target, fill: fill, bilinear: true) { map($0, $1) })
        }
    }

    /// Where Float32 may not decide, as levels are whole numbers or differ by one.
    @Test("Affine maps of slopes and plains", arguments: maps, [0, 1, 2, 7])
    func slopes(_ map: AffineMap, _ slope: Int) throws {
        let size = PixelSize(width: 130, height: 37)
        let samples = (0..<size.pixelCount * 3).map { index in
            let (x, y) = (index / 3 % size.width, index / 3 / size.width)
            return UInt8((x * slope + y * (index % 3) * slope / 2) % 256)
        }
        let image = PixelImage(width: size.width, height: size.height, samples: samples)
        let fill = FillColor(red: 1, green: 20, blue: 255)
        for kernels in tables {
            let result = try map.apply(
                to: image, size: size, interpolation: .bilinear, fill: fill, kernels: kernels)
            #expect(
                result.samples
                    == KernelTwins.sampled(image, to: size, fill: fill, bilinear: true) { map($0, $1) })
        }
    }

    @Test("Affine maps in fixed point and by sums", arguments: sizes, maps)
    func nearest(_ size: PixelSize, _ map: AffineMap) throws {
        let image = picture(size)
        let target = PixelSize(width: size.width + 70, height: size.height + 1)
        let fill = FillColor(red: 1, green: 20, blue: 255)
        for kernels in tables {
            let steps = map.fixedSteps
            let fixed = try kernels.sample(image, .affineFixed(steps), size: target, fill: fill)
            #expect(fixed.samples == KernelTwins.fixed(image, to: target, steps, fill: fill))
            let coefficients = [map.a, map.b, map.c, map.d, map.e, map.f]
            let summed = try kernels.sample(image, .affineNearest(coefficients), size: target, fill: fill)
            #expect(summed.samples == KernelTwins.summed(image, to: target, map, fill: fill))
        }
    }

    @Test("Hues", arguments: [0, 1, 42, 85, 128, 170, 213, 255] as [UInt8])
    func hues(_ shift: UInt8) throws {
        // Every level with every other in steps, and a count that leaves pixels over.
        let levels = stride(from: 0, through: 255, by: 15).map(UInt8.init) + [1, 127, 128, 254]
        var samples: [UInt8] = []
        for red in levels { for green in levels { for blue in levels { samples += [red, green, blue] } } }
        for count in [1, 7, 8, 9, samples.count / 3] {
            let some = Array(samples.suffix(count * 3))
            let twin = stride(from: 0, to: some.count, by: 3).flatMap { place in
                KernelTwins.turned(some[place], some[place + 1], some[place + 2], by: shift)
            }
            for kernels in tables {
                var turned = some
                try kernels.turnHue(&turned, by: shift)
                #expect(turned == twin)
            }
        }
    }

    @Test("Cells change places", arguments: sizes, [1, 2, 5, 6, 17, 300])
    func shuffles(_ size: PixelSize, _ side: Int) throws {
        let image = picture(size)
        let (columns, rows) = (size.width / side, size.height / side)
        var generator = SeededGenerator(seed: 5)
        let order = (0..<columns * rows).map(UInt32.init).shuffled(using: &generator)
        let shuffled = try PixelKernels.shuffle(image, side: side, order: order)
        var expected = image.samples
        for (cell, other) in order.enumerated() {
            for index in 0..<side * side * 3 {
                let (x, y, c) = (index / 3 % side, index / 3 / side, index % 3)
                func place(_ cell: Int) -> Int {
                    ((cell / columns * side + y) * size.width + cell % columns * side + x) * 3 + c
                }
                expected[place(cell)] = image.samples[place(Int(other))]
            }
        }
        #expect(shuffled.samples == expected)
    }

    @Test("Perspective maps", arguments: sizes, [Interpolation.nearest, .bilinear])
    func perspective(_ size: PixelSize, _ interpolation: Interpolation) throws {
        let image = picture(size)
        let (w, h) = (Double(size.width), Double(size.height))
        let map = PerspectiveMap(
            from: [(0.3, 0.2), (w + 1, -1), (w - 0.5, h + 2), (1, h - 0.25)],
            to: [(0, 0), (w, 0), (w, h), (0, h)])
        let fill = FillColor(red: 9, green: 8, blue: 7)
        for kernels in tables {
            let result = try map.apply(to: image, interpolation: interpolation, fill: fill, kernels: kernels)
            let twin = KernelTwins.sampled(image, to: size, fill: fill, bilinear: interpolation == .bilinear)
            { x, y in
                let depth = map.g * x + map.h * y + 1
                return ((map.a * x + map.b * y + map.c) / depth, (map.d * x + map.e * y + map.f) / depth)
            }
            #expect(result.samples == twin)
        }
    }

    @Test("A divisor of zero gives the fill")
    func noPosition() throws {
        let image = picture(PixelSize(width: 4, height: 4))
        for kernels in tables {
            for sampling in [
                PixelKernels.Sampling.perspectiveBilinear([0, 0, 0, 0, 0, 0, 0, -2]),
                .perspectiveNearest([0, 0, 0, 0, 0, 0, 0, -2]),
            ] {
                let result = try kernels.sample(
                    image, sampling, size: PixelSize(width: 3, height: 1),
                    fill: FillColor(red: 5, green: 5, blue: 5))
                #expect(result.samples == [UInt8](repeating: 5, count: 9))
            }
        }
    }
}
