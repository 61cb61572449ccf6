package import Images
package import JSON

/// Smooths with a Gaussian of the given size, one axis after the other, in Float32.
///
/// - `padding: zeros` is the CPPO references' own blur: levels / 255, first down, then across, zeros beyond the edge,
///   255 · x truncated. Flat regions can therefore lose one level, and edges darken. Equal to PyTorch (x86-64, oneDNN
///   off, as the reference runs it) in every sample for the recipe's kernel 3 and σ 1. For one σ in twenty PyTorch's
///   Float32 exponential is wrong by one unit in the last place. Truncation turns this into one level if a sum is
///   almost an integer, which in flat regions can be the case everywhere (measured: 32 of 2,910 views differ, by one
///   level).
/// - `padding: reflect` is torchvision's `gaussian_blur` on a PIL image: the picture mirrored beyond the edge, rounded
///   half to even. torchvision sums the k² products at once, in an order that oneDNN chooses. Fewer than one sample in
///   a thousand differs, by at most one level (measured: at most 3.5 in 100,000).
package struct GaussianBlur: PerturbationStep, Equatable {
    package enum Padding: String, Sendable, CaseIterable {
        case zeros, reflect
    }

    package static let name = "gaussian_blur"
    package static let summary = "Smooths with a Gaussian."
    package static let parameters = [
        StepParameter("kernel_size", .integer(1...99), note: ", odd", standard: 3),
        StepParameter("sigma", .number(0.01...100), note: ", in pixels", standard: 1.0),
        StepParameter(
            "padding", .word(Padding.self), note: " (needs sides over kernel_size / 2)", standard: "zeros"),
    ]

    package static let identity: String? =
        "kernel_size 1 or a small sigma with padding reflect: neighbours that weigh too little to change a level"

    let kernelSize: Int
    let sigma: Double
    let padding: Padding

    init(kernelSize: Int, sigma: Double, padding: Padding) {
        precondition(kernelSize % 2 == 1, "a kernel has a centre")
        self.kernelSize = kernelSize
        self.sigma = sigma
        self.padding = padding
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        kernelSize = try reader.integer("kernel_size")
        guard kernelSize % 2 == 1 else {
            throw .outOfRange(
                step: Self.name, path: "kernel_size", expected: "1 … 99, odd", found: "\(kernelSize)")
        }
        sigma = try reader.number("sigma")
        padding = try reader.choice("padding")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "kernel_size": .integer(Int64(kernelSize)), "sigma": .number(sigma),
            "padding": .string(padding.rawValue),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { BlurredLevels(self, size).areUnchanged }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        guard padding == .zeros || kernelSize / 2 < min(size.width, size.height) else {
            throw .doesNotFit(
                step: Self.name, path: "kernel_size",
                detail:
                    "a kernel of \(kernelSize) with reflect padding needs sides over \(kernelSize / 2) pixels, "
                    + "the picture has \(size)")
        }
        return size
    }

    /// Sums of `kernelSize` products in vectors of 32 samples, down and across.
    package func demand(for size: PixelSize) -> WorkDemand {
        let blocks = (size.width.timesSaturating(3).plusSaturating(31) / 32).timesSaturating(size.height)
        let made = WorkDemand.picture(
            size, extra: PixelKernels.convolveBytes(size, taps: kernelSize), operations: 0)
        return made.costing(blocks.timesSaturating(64 + 30 * kernelSize))
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        return try convolved(image, watch)
    }

    func convolved(
        _ image: PixelImage, kernels: PixelKernels = .best, _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        switch padding {
        case .zeros:
            try kernels.convolve(
                image, weights: GaussianKernel.reference(size: kernelSize, sigma: sigma), inUnits: true,
                watch)
        case .reflect:
            try kernels.convolve(
                image, weights: GaussianKernel.torchvision(size: kernelSize, sigma: sigma), inUnits: false,
                watch)
        }
    }
}
