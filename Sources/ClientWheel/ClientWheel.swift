import CClientWheel
import Text

/// The Python client as pip installs it (PyPA's "Binary distribution format"), put together from the sources that were
/// compiled in.
package struct ClientWheel: Sendable {
    /// `perception_client-VERSION-py3-none-any.whl`.
    package let name: String
    package let bytes: [UInt8]
    /// SHA-256 in hexadecimal, for the fragment of a link to it.
    package let digest: String

    /// The one of this server. The first use makes it, in some milliseconds.
    package static let own = ClientWheel()

    /// The form: version, and that it is of Python alone.
    private static let form = """
        Wheel-Version: 1.0
        Generator: perception-server
        Root-Is-Purelib: true
        Tag: py3-none-any

        """

    private init() {
        let sources = unsafe client_wheel_sources
        let version = unsafe String(cString: sources.version)
        let information = "perception_client-\(version).dist-info"
        var members = unsafe UnsafeBufferPointer(start: sources.files, count: sources.count).map { file in
            unsafe (
                path: String(cString: file.path),
                bytes: [UInt8](UnsafeBufferPointer(start: file.bytes, count: file.count))
            )
        }
        members.append(
            unsafe (
                "\(information)/METADATA",
                ClientWheel.bytes(sources.metadata_fields) + ClientWheel.bytes(sources.readme)
            ))
        members.append(("\(information)/WHEEL", Array(ClientWheel.form.utf8)))
        members.append(unsafe ("\(information)/entry_points.txt", ClientWheel.bytes(sources.entry_points)))

        var archive = StoredArchive()
        var record = ""
        for (path, bytes) in members {
            archive.add(path, bytes)
            record += "\(path),sha256=\(ClientWheel.recorded(Checksums.sha256(bytes))),\(bytes.count)\n"
        }
        record += "\(information)/RECORD,,\n"
        archive.add("\(information)/RECORD", Array(record.utf8))

        name = "perception_client-\(version)-py3-none-any.whl"
        bytes = archive.bytes
        digest = Checksums.sha256(bytes).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private static func bytes(_ text: client_wheel_text) -> [UInt8] {
        unsafe UnsafeBufferPointer(start: text.bytes, count: text.count).map { UInt8(bitPattern: $0) }
    }

    /// Base64 of the URL's alphabet without padding (RFC 4648 §5), as RECORD has it.
    private static func recorded(_ digest: [UInt8]) -> String {
        let text = Base64.encode(digest).compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
