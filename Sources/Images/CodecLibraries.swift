import CImageCodecs

/// The libraries that read and write files.
package enum CodecLibraries {
    /// Names and versions.
    package static var versions: [(name: String, version: String)] {
        [
            ("libjpeg", unsafe String(cString: perception_jpeg_version())),
            ("libpng", unsafe String(cString: perception_png_version())),
        ]
    }
}
