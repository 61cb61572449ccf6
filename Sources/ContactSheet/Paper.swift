internal import Images

/// A picture to draw on. Anything outside is clipped. All arithmetic uses integers, so a drawing has the same bytes
/// everywhere.
struct Paper {
    let size: PixelSize
    /// Stops drawing once the result is no longer wanted.
    private let watch: WorkWatch
    private var samples: [UInt8]

    init(_ size: PixelSize, _ ink: Ink, _ watch: WorkWatch = WorkWatch()) {
        self.size = size
        self.watch = watch
        samples = [UInt8](repeating: 0, count: size.pixelCount * 3)
        fill(x: 0, y: 0, width: size.width, height: size.height, ink)
    }

    consuming func finished() -> PixelImage {
        PixelImage(width: size.width, height: size.height, samples: samples)
    }

    /// Colors one pixel.
    mutating func set(x: Int, y: Int, _ ink: Ink) {
        guard (0..<size.width).contains(x), (0..<size.height).contains(y) else { return }
        let offset = (y * size.width + x) * 3
        samples[offset] = ink.red
        samples[offset + 1] = ink.green
        samples[offset + 2] = ink.blue
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, _ ink: Ink) {
        for row in y..<(y + height) {
            guard watch.goesOn(4 * width) else { return }
            for column in x..<(x + width) { set(x: column, y: row, ink) }
        }
    }

    /// - Precondition: the picture lies inside the paper.
    mutating func paste(_ image: PixelImage, x: Int, y: Int) {
        precondition(
            x >= 0 && y >= 0 && x + image.width <= size.width && y + image.height <= size.height,
            "a picture is pasted inside the paper")
        let pixels = image.pixels
        let source = pixels.span
        let (stride, watch) = (size.width, watch)
        var target = samples.mutableSpan
        for row in 0..<image.height {
            guard watch.goesOn(3 * image.width) else { return }
            let (from, to) = (row * image.width * 3, ((y + row) * stride + x) * 3)
            for index in 0..<image.width * 3 { target[to + index] = source[from + index] }
        }
    }

    /// Draws one line of text. (x, y) is the top left of its first character.
    mutating func write(_ text: some StringProtocol, x: Int, y: Int, _ size: TextSize, _ ink: Ink) {
        for (place, scalar) in text.unicodeScalars.enumerated() {
            BitmapFont.draw(scalar, size: size) { dotX, dotY in
                set(x: x + place * size.advance + dotX, y: y + dotY, ink)
            }
        }
    }

    /// Fills a shape with smooth edges. The coverage of each pixel is the fraction of its 4 × 4 samples inside.
    ///
    /// - Parameters:
    ///   - x, y, width, height: the rectangle that contains the shape.
    ///   - isInside: returns whether a point, in eighths of a pixel, is inside.
    mutating func paint(
        x: Int, y: Int, width: Int, height: Int, _ ink: Ink, where isInside: (_ x: Int, _ y: Int) -> Bool
    ) {
        for row in max(y, 0)..<max(y, 0, min(y + height, size.height)) {
            for column in max(x, 0)..<max(x, 0, min(x + width, size.width)) {
                var covered = 0
                for sample in 0..<16
                where isInside(column * 8 + sample % 4 * 2 + 1, row * 8 + sample / 4 * 2 + 1) {
                    covered += 1
                }
                guard covered > 0 else { continue }
                let offset = (row * size.width + column) * 3
                for (channel, level) in [ink.red, ink.green, ink.blue].enumerated() {
                    let under = Int(samples[offset + channel])
                    samples[offset + channel] = UInt8(
                        (Int(level) * covered + under * (16 - covered) + 8) / 16)
                }
            }
        }
    }
}
