import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Tensor

/// Writes the views of a batch in one of the reply's forms.
struct PerturbReply: Sendable {
    let batch: PerturbBatch

    /// Returns the description of every view in pieces, with the data between them unless they are sent separately.
    /// - Parameter data: a base64 string for each view.
    private func json(with data: [[UInt8]]?) -> [[UInt8]] {
        var writer = JSONWriter()
        var pieces: [[UInt8]] = []
        var place = 0
        writer.object { writer in
            writer.name("images")
            writer.array { writer in
                for picture in batch.pictures {
                    writer.object { writer in
                        writer.member("id", .string(picture.id))
                        writer.member("width", .integer(Int64(picture.size.width)))
                        writer.member("height", .integer(Int64(picture.size.height)))
                        writer.name("views")
                        writer.array { writer in
                            for view in picture.views {
                                write(view, data?[place], &writer, &pieces)
                                place += 1
                            }
                        }
                    }
                }
            }
        }
        return pieces + [writer.bytes]
    }

    private func write(
        _ view: PerturbedPicture.DrawnView, _ data: [UInt8]?, _ writer: inout JSONWriter,
        _ pieces: inout [[UInt8]]
    ) {
        writer.object { writer in
            writer.member("name", .string(view.name))
            writer.member("variant", .integer(Int64(view.variant)))
            writer.member("steps", .array(view.steps.map(\.json)))
            writer.member("width", .integer(Int64(view.size.width)))
            writer.member("height", .integer(Int64(view.size.height)))
            writer.member("format", .string(batch.format.rawValue))
            if let data {
                writer.name("data")
                pieces += [writer.takeText(), data]
            }
        }
    }

    /// Returns the description without data.
    private var description: [UInt8] { json(with: nil).flatMap { $0 } }

    func jsonResponse(_ bytes: [[UInt8]]) -> Response {
        Response(.json, body: json(with: bytes))
    }

    /// Returns a tensor U8 [H,W,3] for each view.
    func safetensorsResponse(_ bytes: [[UInt8]]) -> Response {
        var writer = SafetensorsWriter()
        writer.setMetadata("result", String(decoding: description, as: UTF8.self))
        for (index, place) in batch.places.enumerated() {
            let size = batch.pictures[place.picture].views[place.view].size
            writer.append(
                batch.name(index), .uint8, shape: [size.height, size.width, 3], bytes: bytes[index])
        }
        return Response(.safetensors, body: writer.segments())
    }

    /// Returns multipart/mixed (RFC 2046 §5.1.3): the JSON, then each view as it is made.
    ///
    /// The boundary must not occur in the parts. It consists of 128 bits derived from the pictures, so a collision is
    /// improbable, and the same request yields the same bytes.
    ///
    /// - Parameter cost: the cost of all views.
    /// - Throws: if the reply is no longer wanted.
    func multipartResponse(
        from pictures: [PerturbRequest.Picture], _ cost: WorkCost, _ watch: WorkWatch = WorkWatch()
    ) throws(Problem) -> Response {
        let description = description
        let texts = pictures.map(\.source.bytes) + [description[...]]
        guard let digest = PerturbReply.digest(texts, watch) else { throw .unheard }
        let boundary = "perception-\(digest)"
        var first = Array("--\(boundary)\r\nContent-Type: application/json\r\n\r\n".utf8)
        first += description
        first += Array("\r\n".utf8)
        if batch.places.isEmpty { first += Array(PerturbParts.closing(boundary).utf8) }
        var response = Response(
            headers: [.contentType: "\(MediaType.mixed.rawValue); boundary=\(boundary)"], body: [first])
        response.rest = PerturbParts(
            batch: batch, boundary: boundary, expected: cost.part(of: batch.places.count).expected)
        return response
    }

    /// Returns FNV-1a over 4,096 to 8,191 bytes of each text, or all of a shorter one, twice with different offsets.
    /// Returns nil if the reply is no longer wanted, since there may be a hundred thousand texts.
    static func digest(_ texts: [ArraySlice<UInt8>], _ watch: WorkWatch) -> String? {
        var low: UInt64 = 0xcbf2_9ce4_8422_2325
        var high: UInt64 = 0x6c62_272e_07bb_0142
        for text in texts {
            guard watch.goesOn(64 + 8 * min(text.count, 8192)) else { return nil }
            for index in stride(from: 0, to: text.count, by: max(1, text.count / 4096)) {
                let byte = UInt64(text[text.startIndex + index])
                low = (low ^ byte) &* 0x100_0000_01b3
                high = (high ^ byte ^ UInt64(index)) &* 0x100_0000_01b3
            }
        }
        return String(low, radix: 16) + String(high, radix: 16)
    }

    /// Returns a single picture, with its steps and size in header fields.
    func imageResponse(_ bytes: [[UInt8]]) -> Response {
        guard let view = batch.pictures.first?.views.first, let file = bytes.first else {
            preconditionFailure("the raw form has one view")
        }
        var response = Response(
            headers: [
                .contentType: batch.encoding.mediaType,
                .perceptionSize: "\(view.size.width)x\(view.size.height)",
            ], body: [file])
        response.headers.append(StepsField.field(JSONValue.array(view.steps.map(\.json)).text))
        return response
    }
}
