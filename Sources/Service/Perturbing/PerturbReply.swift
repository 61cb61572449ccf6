import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Tensor

/// Perturbed pictures with their bytes, ready for one of the reply's forms.
struct PerturbReply: Sendable {
    struct View: Sendable {
        let made: PerturbedPicture.View
        let bytes: [UInt8]
    }

    let pictures: [(picture: PerturbedPicture, views: [View])]
    let format: PerturbSettings.Format
    let mediaType: String
    /// Whether names need the variant's number.
    let hasVariants: Bool

    /// The description of every view; its bytes as base64 when they don't travel beside it.
    func json(withData: Bool) -> [UInt8] {
        var writer = JSONWriter(
            reservingCapacity: withData
                ? pictures.reduce(4096) { $1.views.reduce($0) { $0 + $1.bytes.count * 3 / 2 } } : 0)
        writer.object { writer in
            writer.name("images")
            writer.array { writer in
                for entry in pictures {
                    writer.object { writer in
                        writer.member("id", .string(entry.picture.id))
                        writer.member("width", .integer(Int64(entry.picture.size.width)))
                        writer.member("height", .integer(Int64(entry.picture.size.height)))
                        writer.name("views")
                        writer.array { writer in for view in entry.views { write(view, withData, &writer) } }
                    }
                }
            }
        }
        return writer.bytes
    }

    private func write(_ view: View, _ withData: Bool, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", .string(view.made.name))
            writer.member("variant", .integer(Int64(view.made.variant)))
            writer.member("steps", .array(view.made.steps.map(\.json)))
            writer.member("width", .integer(Int64(view.made.image.width)))
            writer.member("height", .integer(Int64(view.made.image.height)))
            writer.member("format", .string(format.rawValue))
            if withData {
                writer.name("data")
                writer.plainString(Base64.encode(view.bytes))
            }
        }
    }

    private func name(_ view: View, of picture: PerturbedPicture) -> String {
        "\(picture.id).\(view.made.name)" + (hasVariants ? ".\(view.made.variant)" : "")
    }

    func jsonResponse() -> Response {
        Response(contentType: "application/json", body: json(withData: true))
    }

    /// U8 [H,W,3] for each view.
    func safetensorsResponse() -> Response {
        var writer = SafetensorsWriter()
        writer.setMetadata("result", String(decoding: json(withData: false), as: UTF8.self))
        for entry in pictures {
            for view in entry.views {
                let image = view.made.image
                writer.append(
                    name(view, of: entry.picture), .uint8, shape: [image.height, image.width, 3],
                    bytes: view.bytes)
            }
        }
        return Response(headers: [.contentType: "application/x-safetensors"], body: writer.segments())
    }

    /// multipart/mixed (RFC 2046 §5.1.3): the JSON, then each view.
    func multipartResponse() -> Response {
        // A boundary must not occur in the parts: 128 bits that depend on them make that certain enough, and the same
        // request gives the same bytes.
        let boundary = "perception-\(digest)"
        var body: [[UInt8]] = []
        func part(_ headers: String, _ content: [UInt8]) {
            body.append(Array("--\(boundary)\r\n\(headers)\r\n\r\n".utf8))
            body.append(content)
            body.append(Array("\r\n".utf8))
        }
        part("Content-Type: application/json", json(withData: false))
        for entry in pictures {
            for view in entry.views {
                part(
                    "Content-Type: \(mediaType)\r\nContent-Disposition: attachment; name=\"\(name(view, of: entry.picture))\"",
                    view.bytes)
            }
        }
        body.append(Array("--\(boundary)--\r\n".utf8))
        return Response(headers: [.contentType: "multipart/mixed; boundary=\(boundary)"], body: body)
    }

    /// FNV-1a over sizes and samples of the content, twice with different offsets.
    private var digest: String {
        var low: UInt64 = 0xcbf2_9ce4_8422_2325
        var high: UInt64 = 0x6c62_272e_07bb_0142
        for entry in pictures {
            for view in entry.views {
                for index in stride(from: 0, to: view.bytes.count, by: max(1, view.bytes.count / 4096)) {
                    low = (low ^ UInt64(view.bytes[index])) &* 0x100_0000_01b3
                    high = (high ^ UInt64(view.bytes[index]) ^ UInt64(index)) &* 0x100_0000_01b3
                }
            }
        }
        return String(low, radix: 16) + String(high, radix: 16)
    }

    /// One picture as it is, its steps and size in the header.
    func imageResponse() -> Response {
        guard let view = pictures.first?.views.first else { preconditionFailure("the raw form has one view") }
        let steps = JSONValue.array(view.made.steps.map(\.json)).text
        return Response(
            headers: [
                .contentType: mediaType, .perceptionSteps: steps,
                .perceptionSize: "\(view.made.image.width)x\(view.made.image.height)",
            ], body: [view.bytes])
    }
}
