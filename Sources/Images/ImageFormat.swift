/// The file formats read and written here.
package enum ImageFormat: String, Sendable, CaseIterable {
    case png
    case jpeg

    /// The format whose signature `bytes` begins with (PNG: W3C PNG §5.2; JPEG: SOI and the next marker's first byte,
    /// T.81 §B.1.1), or nil if it is neither. Reads at most eight bytes.
    package init?(signatureOf bytes: Span<UInt8>) {
        if Self.begins(bytes, with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if Self.begins(bytes, with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else {
            return nil
        }
    }

    package var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        }
    }

    private static func begins(_ bytes: Span<UInt8>, with signature: [UInt8]) -> Bool {
        guard bytes.count >= signature.count else { return false }
        return signature.indices.allSatisfy { bytes[$0] == signature[$0] }
    }
}
