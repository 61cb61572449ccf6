/// How a file becomes RGB, where there is a choice.
package struct DecodingOptions: Sendable, Equatable {
    package var alpha: Alpha
    package var orientation: Orientation
    /// Whether a file that ends early or holds damaged compressed data is decoded as far as it goes instead of
    /// being an error. Without it this is stricter than Pillow in two cases that leave the pixels whole as far as one
    /// can tell: a PNG whose end chunk is missing, and one with a wrong checksum over its pixels. The part that is missing is then black (PNG) or what libjpeg fills in (JPEG).
    package var allowTruncated: Bool

    package init(alpha: Alpha = .white, orientation: Orientation = .ignore, allowTruncated: Bool = false) {
        self.alpha = alpha
        self.orientation = orientation
        self.allowTruncated = allowTruncated
    }

    /// What becomes of an alpha channel.
    ///
    /// `white` is what Qwen's loader does (`qwen_vl_utils`): where Pillow's mode would be RGBA (PNG colour type 6, and
    /// 16-bit gray with alpha) the picture is pasted on white with its alpha as mask; every other kind, 8-bit gray
    /// with alpha and tRNS included, loses its alpha as `convert("RGB")` would drop it. `drop` is
    /// `convert("RGB")` throughout.
    package enum Alpha: String, Sendable, CaseIterable {
        case white
        case drop
    }

    /// Whether the EXIF orientation is ignored (as trainers' loaders do) or applied as `PIL.ImageOps.exif_transpose`.
    package enum Orientation: String, Sendable, CaseIterable {
        case ignore
        case apply
    }
}
