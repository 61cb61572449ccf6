internal import ForeignFiles
package import Images

/// Files of kinds that the server reads and does not write.
package enum ForeignPicture {
    /// A progressive JPEG in so many scans, 1 … 99.
    package static func progressive(_ image: PixelImage, scans: Int) -> [UInt8] {
        unsafe made(of: image) { samples, file, capacity in
            unsafe foreign_progressive_jpeg(
                samples, UInt32(image.width), UInt32(image.height), Int32(scans), file, capacity)
        }
    }

    /// A PNG of 8 or 16 bits a sample.
    package static func png(_ image: PixelImage, hasAlpha: Bool, depth: Int, isInterlaced: Bool) -> [UInt8] {
        unsafe made(of: image) { samples, file, capacity in
            unsafe foreign_png(
                samples, UInt32(image.width), UInt32(image.height), hasAlpha ? 1 : 0, Int32(depth),
                isInterlaced ? 1 : 0, file, capacity)
        }
    }

    private static func made(
        of image: PixelImage,
        _ write: (UnsafePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, Int) -> Int
    ) -> [UInt8] {
        // Two bytes for each of four samples, a filter for each row and pass, and blocks that are stored.
        let room = image.size.pixelCount * 9 + 8 * image.height + 1 << 16
        return unsafe image.samples.withUnsafeBufferPointer { samples in
            unsafe [UInt8](unsafeUninitializedCapacity: room) { file, count in
                count = unsafe write(samples.baseAddress, file.baseAddress, room)
            }
        }
    }
}
