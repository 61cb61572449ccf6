import Images

/// Decoding from an array, which closures of `#expect` can take where they can't take a span.
func decode(
    _ file: [UInt8], options: DecodingOptions = DecodingOptions(), limits: ImageLimits = ImageLimits()
) throws(ImageError) -> PixelImage {
    try PixelImage(decoding: file.span, options: options, limits: limits)
}

func probe(_ file: [UInt8]) throws(ImageError) -> ImageHeader { try ImageHeader(probing: file.span) }
