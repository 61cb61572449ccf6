internal import Images

extension PixelImage {
    /// The picture flipped or turned; see `rearranged(to:_:source:)`.
    func turned(
        to size: PixelSize, _ watch: WorkWatch, _ source: (Int, Int) -> (x: Int, y: Int)
    ) throws(StepError) -> PixelImage {
        do throws(ImageError) {
            return try rearranged(to: size, watch, source: source)
        } catch {
            throw .unwanted
        }
    }
}
