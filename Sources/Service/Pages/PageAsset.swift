import CPages
import ClientWheel

/// A file of the browser pages, compiled into the binary.
struct PageAsset: Sendable {
    /// The path below `/assets/`, such as `style/base.css`.
    let path: String
    let bytes: [UInt8]
    let mediaType: String
    /// A strong validator (RFC 9110, section 8.8.3): equal only for equal bytes.
    let entityTag: String

    /// All assets by path.
    static let all: [String: PageAsset] = {
        let table = unsafe pages_all()
        let assets = unsafe UnsafeBufferPointer(start: table.files, count: table.count).map { file in
            unsafe PageAsset(
                path: String(String(cString: file.path).dropFirst("assets/".count)),
                bytes: [UInt8](UnsafeBufferPointer(start: file.bytes, count: file.count)))
        }
        return Dictionary(uniqueKeysWithValues: assets.map { ($0.path, $0) })
    }()

    private init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        mediaType = PageAsset.mediaType(of: path)
        let digest = Checksums.sha256(bytes).prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        entityTag = "\"\(digest.joined())\""
    }

    /// Browsers do not guess types here, so a new kind of file must be listed first.
    private static func mediaType(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "safetensors": "application/x-safetensors"
        case "txt": "text/plain; charset=utf-8"
        default: preconditionFailure("\(path) has no media type")
        }
    }
}
