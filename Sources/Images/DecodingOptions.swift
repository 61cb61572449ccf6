/// How a file becomes RGB, where there is a choice.
package struct DecodingOptions: Sendable, Equatable {
    package var alpha: Alpha
    package var orientation: Orientation
    package var gray16: DeepGray
    /// Whether a file that ends early or is damaged is decoded as far as it goes instead of being an error.
    ///
    /// All that can be decoded is, as by Pillow with `LOAD_TRUNCATED_IMAGES`: a wrong checksum over pixels or metadata
    /// costs nothing, and every row of a PNG that its data still give is there. The rest is what samples of zero are in
    /// the picture's mode, as in Pillow: entry 0 of a palette, transparent pixels, black; in a JPEG what libjpeg fills in.
    /// Without it this is stricter than Pillow, which passes over damage that libjpeg warns of and over checksums of
    /// pixels.
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

    /// What becomes of transparency in a PNG.
    ///
    /// - `white` is what Qwen's loader does (`qwen_vl_utils`): where Pillow's mode would be RGBA (colour type 6, and 16-bit
    ///   gray with alpha) the picture is pasted on white with its alpha as mask; every other kind, 8-bit gray with alpha and
    ///   tRNS included, loses its alpha as `convert("RGB")` would drop it.
    /// - `transformers` is what its processors do: whatever has an alpha channel or a tRNS chunk becomes RGBA as by
    ///   Pillow's `convert`, and is composited on white.
    /// - `drop` is `convert("RGB")` throughout.
    package enum Alpha: String, Sendable, CaseIterable {
        case white
        case transformers
        case drop
    }

    /// Whether the EXIF orientation is ignored (as Qwen's loader does) or applied as `PIL.ImageOps.exif_transpose` (as
    /// Hugging Face `datasets` and the image loaders of `transformers` do).
    package enum Orientation: String, Sendable, CaseIterable {
        case ignore
        case apply
    }

    /// What becomes of 16-bit gray: `clip` is Pillow's `convert("RGB")`, where every level above 255 is white, and so
    /// nearly every picture of this kind; `scale` takes the high byte, as Pillow does for the other kinds of 16 bits.
    package enum DeepGray: String, Sendable, CaseIterable {
        case clip
        case scale
    }
}
