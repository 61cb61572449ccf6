/// What one file may cost. Each limit is checked before the memory or the time is spent.
package struct ImageLimits: Sendable, Equatable {
    /// Largest width × height, read from the header before anything is allocated.
    package var maxPixels: Int
    /// Most scans of a progressive JPEG. Encoders write about ten; each costs a pass over the whole picture, and a
    /// scan of a few bytes is legal, so a small file could otherwise ask for hours.
    package var maxScans: Int
    /// Most memory the decoder itself may hold beside the result (coefficients of a progressive JPEG, the rows of
    /// an interlaced PNG), in bytes.
    package var maxDecoderBytes: Int

    package init(maxPixels: Int = 50_000_000, maxScans: Int = 100, maxDecoderBytes: Int = 512 << 20) {
        self.maxPixels = maxPixels
        self.maxScans = maxScans
        self.maxDecoderBytes = maxDecoderBytes
    }
}
