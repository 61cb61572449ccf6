internal import Images

/// A convolution down and then across with one odd-sized kernel, in Float32: each sum adds its products in order, each
/// product and each sum rounded on its own.
///
/// - Complexity: linear in pixels × kernel size; working memory is one row.
struct SeparableConvolution {
    let weights: [Float]
    /// Beyond the edge: the picture mirrored (the edge pixel not repeated), or zero.
    let mirrors: Bool
    /// What each of the 256 levels is worth.
    let levels: [Float]

    /// - Precondition: when mirroring, each side exceeds half the kernel.
    func apply(to image: PixelImage, level: (Float) -> UInt8) -> PixelImage {
        let radius = weights.count / 2
        let stride = image.width * 3
        var samples = [UInt8](repeating: 0, count: image.samples.count)
        // One row with room for the margins, as pixels of three.
        var row = [Float](repeating: 0, count: stride + 2 * radius * 3)
        for y in 0..<image.height {
            sumDown(image, y: y, into: &row)
            if mirrors { mirrorMargins(of: &row, width: image.width) }
            let source = row.span
            let weights = weights.span
            var target = samples.mutableSpan
            for place in 0..<stride {
                var sum: Float = 0
                for tap in weights.indices { sum += source[place + 3 * tap] * weights[tap] }
                target[y * stride + place] = level(sum)
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }

    private func sumDown(_ image: PixelImage, y: Int, into row: inout [Float]) {
        let radius = weights.count / 2
        let stride = image.width * 3
        let source = image.samples.span
        let levels = levels.span
        var sums = row.mutableSpan
        for place in 0..<stride { sums[radius * 3 + place] = 0 }
        for tap in weights.indices {
            guard let from = sourceRow(y + tap - radius, of: image.height) else { continue }
            let weight = weights[tap]
            for place in 0..<stride {
                sums[radius * 3 + place] += levels[Int(source[from * stride + place])] * weight
            }
        }
    }

    /// The row that stands in for `row`, or nil where that is zero.
    private func sourceRow(_ row: Int, of height: Int) -> Int? {
        if (0..<height).contains(row) { return row }
        guard mirrors else { return nil }
        return row < 0 ? -row : 2 * (height - 1) - row
    }

    private func mirrorMargins(of row: inout [Float], width: Int) {
        let radius = weights.count / 2
        for distance in stride(from: 1, through: radius, by: 1) {
            for channel in 0..<3 {
                row[(radius - distance) * 3 + channel] = row[(radius + distance) * 3 + channel]
                let last = radius + width - 1
                row[(last + distance) * 3 + channel] = row[(last - distance) * 3 + channel]
            }
        }
    }
}
