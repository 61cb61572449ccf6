/// The choices in decoding a file to RGB.
package struct DecodingOptions: Sendable, Equatable {
    package var alpha: Alpha
    package var orientation: Orientation
    package var gray16: DeepGray
    /// Whether to decode a truncated or damaged file as far as possible, instead of reporting an error.
    ///
    /// Like Pillow with `LOAD_TRUNCATED_IMAGES`, this ignores wrong checksums of pixels and metadata, and keeps every
    /// row of a PNG that its data still yield. The other rows are samples of zero in the picture's mode, as in Pillow:
    /// entry 0 of a palette, transparent pixels, or black. libjpeg fills in a JPEG. Without this option decoding is
    /// stricter than Pillow, which ignores damage that libjpeg warns about, and checksums of pixels.
    package var allowTruncated: Bool

    package init(
        alpha: Alpha = .white, orientation: Orientation = .ignore, gray16: DeepGray = .clip,
        allowTruncated: Bool = false
    ) {
        self.alpha = alpha
        self.orientation = orientation
        self.gray16 = gray16
        self.allowTruncated = allowTruncated
    }

    /// The treatment of transparency in a PNG.
    ///
    /// - `white` follows Qwen's loader (`qwen_vl_utils`). If Pillow's mode would be RGBA (colour type 6, and 16-bit
    ///   gray with alpha), the picture is pasted on white with its alpha as mask. Every other kind, including 8-bit
    ///   gray with alpha and tRNS, loses its alpha as with `convert("RGB")`.
    /// - `transformers` follows the processors of that library. A picture with an alpha channel or a tRNS chunk becomes
    ///   RGBA as with Pillow's `convert`, and is composited on white.
    /// - `drop` is `convert("RGB")` throughout.
    package enum Alpha: String, Sendable, CaseIterable {
        case white
        case transformers
        case drop
    }

    /// Whether to ignore the EXIF orientation, as Qwen's loader does, or to apply it like
    /// `PIL.ImageOps.exif_transpose`, as Hugging Face `datasets` and the image loaders of `transformers` do.
    package enum Orientation: String, Sendable, CaseIterable {
        case ignore
        case apply
    }

    /// The treatment of 16-bit gray. `clip` is Pillow's `convert("RGB")`, which makes every level above 255 white, and
    /// thus nearly all of most such pictures. `scale` keeps the high byte, as Pillow does for other 16-bit pictures.
    package enum DeepGray: String, Sendable, CaseIterable {
        case clip
        case scale
    }
}
