/// How pixels leave: lossless PNG, JPEG (which perturbs again) or the bare samples.
package enum ImageEncoding: Sendable, Equatable {
    /// zlib level 0 (stored) … 9. Lossless at every level.
    case png(level: Int = 1)
    /// libjpeg quality 1 … 100.
    case jpeg(quality: Int = 95, subsampling: ChromaSubsampling = .full)
    /// [H, W, 3] samples, nothing else.
    case raw

    package enum ChromaSubsampling: String, Sendable, CaseIterable {
        case full = "4:4:4"
        case half = "4:2:0"
    }

    /// `application/octet-stream` for `raw`.
    package var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .raw: "application/octet-stream"
        }
    }
}
