import HTTP
import HTTPTypes
import Images
import JSON
import Testing

/// A small picture with a different value in every sample.
func gradientPicture(width: Int = 12, height: Int = 9) -> PixelImage {
    PixelImage(
        width: width, height: height,
        samples: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 7) })
}

func pngFile(_ image: PixelImage = gradientPicture()) throws -> [UInt8] { try image.encoded(as: .png()) }

/// RFC 4648 in the obvious way.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var bits = bytes.flatMap { byte in (0..<8).reversed().map { byte >> UInt8($0) & 1 } }
    while bits.count % 6 != 0 { bits.append(0) }
    var text = stride(from: 0, to: bits.count, by: 6).map { start in
        alphabet[bits[start..<start + 6].reduce(0) { $0 * 2 + Int($1) }]
    }
    while text.count % 4 != 0 { text.append("=") }
    return String(text)
}

func unbase64(_ text: String) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bits = text.compactMap { alphabet.firstIndex(of: $0) }.flatMap { value in
        (0..<6).reversed().map { value >> $0 & 1 }
    }
    return stride(from: 0, to: bits.count - 7, by: 8).map {
        UInt8(bits[$0..<$0 + 8].reduce(0) { $0 * 2 + $1 })
    }
}

/// A multipart body of parts, each its header lines and its content.
func multipart(_ parts: [(header: String, content: [UInt8])], boundary: String = "edge") -> [UInt8] {
    parts.flatMap { part in
        Array("--\(boundary)\r\n\(part.header)\r\n\r\n".utf8) + part.content + Array("\r\n".utf8)
    }
        + Array("--\(boundary)--\r\n".utf8)
}

func formPart(_ name: String, _ content: [UInt8]) -> (header: String, content: [UInt8]) {
    (
        "Content-Disposition: form-data; name=\"\(name)\"; filename=\"x.png\"\r\nContent-Type: image/png",
        content
    )
}

/// The parts of a multipart/mixed reply.
func parts(of response: Response) throws -> [(header: String, content: [UInt8])] {
    let type = try #require(response.headers[.contentType])
    let boundary = try #require(type.split(separator: "boundary=").last)
    let delimiter = Array("--\(boundary)".utf8)
    let bytes = response.bytes
    var starts: [Int] = []
    for index in 0...(bytes.count - delimiter.count)
    where bytes[index] == delimiter[0] && bytes[index..<index + delimiter.count].elementsEqual(delimiter) {
        starts.append(index)
    }
    #expect(bytes.suffix(4).elementsEqual("--\r\n".utf8))
    return try zip(starts, starts.dropFirst()).map { start, end in
        let part = bytes[start + delimiter.count + 2..<end - 2]
        let blank = try #require(
            part.indices.dropLast(3).first { part[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) })
        return (String(decoding: part[part.startIndex..<blank], as: UTF8.self), Array(part[(blank + 4)...]))
    }
}
