/// The limits on one file. Each is checked before memory or time is spent.
package struct ImageLimits: Sendable, Equatable {
    /// The largest width × height, checked against the header before anything is allocated.
    package var maxPixels: Int
    /// The largest number of scans of a progressive JPEG. Encoders write about ten. Each scan costs a pass over the
    /// whole picture and may have only a few bytes, so a small file could otherwise take hours.
    package var maxScans: Int
    /// The most memory that the decoder may hold in addition to the result, in bytes: coefficients of a progressive
    /// JPEG, or rows of an interlaced PNG.
    package var maxDecoderBytes: Int

    package init(maxPixels: Int = 50_000_000, maxScans: Int = 100, maxDecoderBytes: Int = 512 << 20) {
        self.maxPixels = maxPixels
        self.maxScans = maxScans
        self.maxDecoderBytes = maxDecoderBytes
    }
}
