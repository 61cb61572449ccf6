/// The encoding of results: lossless PNG, JPEG (which changes pixels again), or bare samples.
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

extension ImageEncoding {
    /// Returns the reason why this encoding cannot hold a picture of this size, or nil. A JPEG side is at most 65,500
    /// pixels long.
    package func flaw(for size: PixelSize) -> ImageError? {
        guard case .jpeg = self, max(size.width, size.height) > 65_500 else { return nil }
        return .unencodable(.jpeg, detail: "\(size) pixels; a side has at most 65500")
    }
}
