internal import Images

extension StepDistribution {
    /// 50 patches, as the references draw them, except that a patch is never empty.
    static let occlusion = StepDistribution(
        step: Occlusion.self,
        parameters: [
            (
                "patches",
                "50, each [x, y, width, height]: width ⌊s · picture's width⌋ and height ⌊t · picture's height⌋, at least "
                    + "1, for s, then t uniform in 0.05 … 0.15; x, then y uniform wherever the patch lies inside"
            ),
            ("noise_seed", "uniform in 0 … 2⁵³ − 1"),
        ],
        smallestSide: 1
    ) { stream, size, _ in
        var patches: [Occlusion.Patch] = []
        for _ in 0..<50 {
            let width = max(1, size.width * stream.integer(in: 500...1500) / 10_000)
            let height = max(1, size.height * stream.integer(in: 500...1500) / 10_000)
            let x = stream.integer(in: 0...(size.width - width))
            let y = stream.integer(in: 0...(size.height - height))
            patches.append(Occlusion.Patch(x: x, y: y, width: width, height: height))
        }
        // 53 bits, so that a seed survives readers that keep numbers as Double.
        return Occlusion(patches: patches, noiseSeed: Int64(stream.integer(in: 0...(1 << 53) - 1)))
    }
}
