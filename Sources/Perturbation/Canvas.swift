internal import Images

/// A picture being made: every pixel starts as the fill.
struct Canvas {
    let size: PixelSize
    var samples: [UInt8]

    init(_ size: PixelSize, fill: FillColor) {
        self.size = size
        let count = size.pixelCount * 3
        if fill.red == fill.green, fill.green == fill.blue {
            samples = [UInt8](repeating: fill.red, count: count)
        } else {
            samples = []
            samples.reserveCapacity(count)
            for _ in 0..<size.pixelCount {
                samples.append(fill.red)
                samples.append(fill.green)
                samples.append(fill.blue)
            }
        }
    }

    consuming func finished() -> PixelImage {
        PixelImage(width: size.width, height: size.height, samples: samples)
    }
}
