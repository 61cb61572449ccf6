/// What a file says about itself, read without decoding a pixel: enough to plan memory before any is spent.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    /// As stored, before any EXIF orientation.
    package let size: PixelSize
    /// Upper bound of the memory the decoder needs beside the result, in bytes.
    package let decoderBytes: Int

    /// The result's size in bytes: width × height × 3.
    package var decodedBytes: Int { size.pixelCount.multipliedReportingOverflow(by: 3).partialValue }
}
