import HTTP
import HTTPTypes

/// The media types of bodies that operations take and give.
enum MediaType: String, Sendable {
    case json = "application/json"
    case safetensors = "application/x-safetensors"
    /// Of a request, safetensors; of a reply, what the request asked for.
    case bytes = "application/octet-stream"
    case form = "multipart/form-data"
    case mixed = "multipart/mixed"
    case png = "image/png"
    case jpeg = "image/jpeg"

    /// Whether a body of this type is one picture's file.
    var isPicture: Bool {
        switch self {
        case .png, .jpeg: true
        case .json, .safetensors, .bytes, .form, .mixed: false
        }
    }
}

/// Returns the form of a reply: of those that an operation offers, the one that Accept prefers (RFC 9110 §12.5.1).
///
/// Without Accept, or if it names none of the offers, returns the first offer, which is the form of the request.
/// - Parameter offers: the default first.
func preferredMediaType(_ headers: HTTPFields, offers: [MediaType]) -> MediaType {
    guard let accept = headers[.accept] else { return offers[0] }
    var best: (type: MediaType, quality: Double)?
    for offer in offers {
        var specific = 0
        var quality = 0.0
        for range in accept.split(separator: ",") {
            let field = ParameterizedField(String(range))
            let weight = field.parameter("q").flatMap(Double.init) ?? 1
            let name = offer.rawValue
            // The most specific range that matches decides.
            let rank =
                field.value == name
                ? 3 : field.value == name.prefix { $0 != "/" } + "/*" ? 2 : field.value == "*/*" ? 1 : 0
            if rank > specific {
                specific = rank
                quality = weight
            }
        }
        if quality > best?.quality ?? 0 { best = (offer, quality) }
    }
    return best?.type ?? offers[0]
}

extension RequestHead {
    /// The body's media type as it is named, lower case, without parameters; nil when not given.
    var mediaTypeName: String? { headers[.contentType].map { ParameterizedField($0).value } }

    /// The body's media type; nil when it is none that any operation takes.
    var mediaType: MediaType? { mediaTypeName.flatMap(MediaType.init) }
}

extension Response {
    init(_ type: MediaType, body: [[UInt8]]) {
        self.init(headers: [.contentType: type.rawValue], body: body)
    }
}
