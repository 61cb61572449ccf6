internal import Images
internal import JSON

/// One step of a recipe with the distributions its parameters are drawn from.
///
/// Every draw takes the words of its `RandomStream` in the order in which `parameters` lists them; numbers are
/// integers, or integers divided by 10,000. That order is part of the contract.
struct StepDistribution: Sendable {
    let step: any PerturbationStep.Type
    /// Parameter and distribution in words, in the order drawn.
    let parameters: [(name: String, distribution: String)]
    /// The smallest side a picture must have for this step to be among the choices.
    let smallestSide: Int
    /// The step, or nil where this draw leaves the picture as it is. The flag rules that out.
    let draw: @Sendable (inout RandomStream, PixelSize, Bool) -> (any PerturbationStep)?

    var json: JSONValue {
        [
            "step": .string(step.name),
            "parameters": .object(parameters.map { .init($0.name, .string($0.distribution)) }),
        ]
    }
}

extension StepDistribution {
    static let colorJitter = StepDistribution(
        step: ColorJitter.self,
        parameters: [
            ("brightness", "uniform in 0.2 … 1.3"), ("contrast", "uniform in 0.2 … 1.8"),
            ("saturation", "uniform in 0.2 … 1.8"), ("order", "one of the six orders, uniformly"),
        ],
        smallestSide: 1
    ) { stream, _, _ in
        let brightness = stream.tenThousandths(in: 2000...13000)
        let contrast = stream.tenThousandths(in: 2000...18000)
        let saturation = stream.tenThousandths(in: 2000...18000)
        // The six orders in lexicographic sequence: what comes first, then which of the other two comes next.
        let place = stream.integer(in: 0...5)
        var left = ColorJitter.Adjustment.allCases
        let first = left.remove(at: place / 2)
        let second = left.remove(at: place % 2)
        return ColorJitter(
            brightness: brightness, contrast: contrast, saturation: saturation, order: [first, second] + left)
    }

    static let rotation = StepDistribution(
        step: Rotation.self, parameters: [("degrees", "uniform in -10 … 10")], smallestSide: 1
    ) { stream, _, _ in
        Rotation(degrees: stream.tenThousandths(in: -100_000...100_000))
    }

    static let gaussianBlur = StepDistribution(
        step: GaussianBlur.self,
        parameters: [("kernel_size", "3"), ("sigma", "1"), ("padding", "zeros")], smallestSide: 1
    ) { _, _, _ in
        GaussianBlur(kernelSize: 3, sigma: 1, padding: .zeros)
    }

    static let zoomCrop = StepDistribution(
        step: ZoomCrop.self,
        parameters: [
            ("width, height", "⌊s · side⌋, at least 1, for one s uniform in 0.6 … 0.7"),
            ("left", "uniform in 0 … picture's width − width"),
            ("top", "uniform in 0 … picture's height − height"),
        ],
        smallestSide: 1
    ) { stream, size, _ in
        let scale = stream.integer(in: 6000...7000)
        let (width, height) = (max(1, size.width * scale / 10_000), max(1, size.height * scale / 10_000))
        let left = stream.integer(in: 0...(size.width - width))
        let top = stream.integer(in: 0...(size.height - height))
        return ZoomCrop(left: left, top: top, width: width, height: height)
    }
}
