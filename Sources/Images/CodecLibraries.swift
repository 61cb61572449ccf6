import CImageCodecs

/// The libraries that decode and encode files.
package enum CodecLibraries {
    /// Their names and versions.
    package static var versions: [(name: String, version: String)] {
        [
            ("libjpeg", unsafe String(cString: image_codecs_jpeg_version())),
            ("libpng", unsafe String(cString: image_codecs_png_version())),
        ]
    }
}
