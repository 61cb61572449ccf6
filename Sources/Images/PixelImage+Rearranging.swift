internal import CPixelKernels

extension PixelImage {
    /// Returns a flipped or turned picture of the given size, whose pixel (x, y) is this one's at `source(x, y)`.
    /// Linear in the pixels.
    ///
    /// - Parameter source: linear in x and y, as flips and turns are. It is called for three positions.
    /// - Precondition: `source` stays within this picture.
    /// - Throws: if the result is no longer wanted.
    package func rearranged(
        to size: PixelSize, _ watch: WorkWatch = WorkWatch(), source: (Int, Int) -> (x: Int, y: Int)
    ) throws(ImageError) -> PixelImage {
        func place(_ x: Int, _ y: Int) -> Int {
            let position = source(x, y)
            return position.y * width + position.x
        }
        let first = place(0, 0)
        let (across, down) = (place(1, 0) - first, place(0, 1) - first)
        let corners = [0, (size.width - 1) * across].flatMap {
            [first + $0, first + $0 + (size.height - 1) * down]
        }
        precondition(
            corners.allSatisfy { (0..<self.size.pixelCount).contains($0) }, "reaches outside the picture")
        var isDone = true
        let result = unsafe pixels.withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: size.pixelCount * 3) { target, count in
                guard let start = source.baseAddress, let into = target.baseAddress else { return }
                isDone =
                    unsafe pixel_kernels_rearrange(
                        start + first * 3, across, down, into, size.width, size.height, watch.pointer) != 0
                count = isDone ? size.pixelCount * 3 : 0
            }
        }
        guard isDone else { throw .unwanted }
        return PixelImage(width: size.width, height: size.height, samples: result)
    }
}
