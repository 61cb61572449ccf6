import HTTP
import HTTPTypes

/// Returns the form of a reply: of those that an operation offers, the one that Accept prefers (RFC 9110 §12.5.1).
///
/// Without Accept, or if it names none of the offers, returns the first offer, which is the form of the request.
/// - Parameter offers: media types, the default first.
func preferredMediaType(_ headers: HTTPFields, offers: [String]) -> String {
    guard let accept = headers[.accept] else { return offers[0] }
    var best: (type: String, quality: Double)?
    for offer in offers {
        var specific = 0
        var quality = 0.0
        for range in accept.split(separator: ",") {
            let field = ParameterizedField(String(range))
            let weight = field.parameter("q").flatMap(Double.init) ?? 1
            // The most specific range that matches decides.
            let rank =
                field.value == offer
                ? 3 : field.value == offer.prefix { $0 != "/" } + "/*" ? 2 : field.value == "*/*" ? 1 : 0
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
    /// The body's media type, lower case, without parameters; nil when not given.
    var mediaType: String? { headers[.contentType].map { ParameterizedField($0).value } }
}
