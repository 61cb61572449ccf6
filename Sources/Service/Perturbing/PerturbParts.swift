import HTTP
import Images

/// The views of a batch as parts of multipart/mixed, in the order of the request. Each is made while earlier parts are
/// sent.
///
/// Only the last part is followed by the closing delimiter, so a reply that breaks off has none.
struct PerturbParts: BodySource {
    let batch: PerturbBatch
    let boundary: String
    /// The approximate duration of one part.
    let expected: Duration

    var pieceCount: Int { batch.places.count }
    var keptBytes: Int { batch.keptBytes }

    func claim(of index: Int) -> Int { batch.missingBytes(for: index) }
    func begin(_ index: Int) -> Int { batch.begin(index) }
    func letGo() { batch.letGo() }

    func piece(_ index: Int) -> [[UInt8]]? {
        do throws(Problem) {
            let bytes = try batch.bytes(index)
            let end = index + 1 == pieceCount ? PerturbParts.closing(boundary) : ""
            return [header(index, length: bytes.count), bytes, Array("\r\n\(end)".utf8)]
        } catch {
            return nil
        }
    }

    private func header(_ index: Int, length: Int) -> [UInt8] {
        Array(
            """
            --\(boundary)\r
            Content-Type: \(batch.encoding.mediaType)\r
            Content-Disposition: attachment; name="\(batch.name(index))"\r
            Content-Length: \(length)\r
            \r\n
            """.utf8)
    }

    static func closing(_ boundary: String) -> String { "--\(boundary)--\r\n" }
}
