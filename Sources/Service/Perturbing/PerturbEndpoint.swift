import HTTP
import HTTPTypes
import Images
import Parallelism

/// /v1/perturb: pictures and recipes or steps → perturbed views.
struct PerturbEndpoint: Sendable {
    let limits: ImageLimits
    let memoryBudget: Int

    static let bodyTypes = ["application/json", "multipart/form-data", "image/jpeg", "image/png"]
    private static let collections = ["application/json", "multipart/mixed", "application/x-safetensors"]

    func respond(
        to bytes: [UInt8], head: RequestHead, instruments: Instruments, _ timer: inout PhaseTimer
    ) throws(Problem) -> Response {
        let isRaw = head.mediaType?.hasPrefix("image/") ?? false
        let request = try request(bytes, head)
        let form = replyForm(head, request.settings, isRaw: isRaw)
        let format = try format(request.settings, form)
        if isRaw, !PerturbEndpoint.collections.contains(form), request.settings.variants > 1 {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "several variants need a reply that holds several images", field: "variants",
                    expected: "Accept: " + PerturbEndpoint.collections.joined(separator: " or ")))
        }
        let images = try request.decoded(limits: limits, memoryBudget: memoryBudget)
        timer.end(.decode)
        let pictures = try request.perturbed(images)
        timer.end(.compute)
        instruments.count(images: images.count, views: pictures.reduce(0) { $0 + $1.views.count })
        let reply = try encoded(pictures, request.settings, format)
        defer { timer.end(.encode) }
        switch form {
        case "application/json": return reply.jsonResponse()
        case "multipart/mixed": return reply.multipartResponse()
        case "application/x-safetensors": return reply.safetensorsResponse()
        default: return reply.imageResponse()
        }
    }

    private func request(_ bytes: [UInt8], _ head: RequestHead) throws(Problem) -> PerturbRequest {
        let isRaw = head.mediaType?.hasPrefix("image/") ?? false
        if !isRaw { try head.refuseQuery() }
        switch head.mediaType {
        case "image/jpeg", "image/png": return try PerturbRequest(picture: bytes, query: head.query)
        case "multipart/form-data":
            let type = head.headers[.contentType].map(ParameterizedField.init)
            return try PerturbRequest(multipart: bytes, boundary: type?.parameter("boundary"))
        default: return try PerturbRequest(json: bytes)
        }
    }

    /// The reply's media type; for one image, what its format makes of it.
    private func replyForm(_ head: RequestHead, _ settings: PerturbSettings, isRaw: Bool) -> String {
        guard isRaw else { return preferredMediaType(head.headers, offers: PerturbEndpoint.collections) }
        let images: [String] =
            switch settings.format {
            case .png: ["image/png"]
            case .jpeg: ["image/jpeg"]
            case .raw: ["application/octet-stream"]
            case nil: ["image/png", "image/jpeg"]
            }
        return preferredMediaType(head.headers, offers: images + PerturbEndpoint.collections)
    }

    private func format(_ settings: PerturbSettings, _ form: String) throws(Problem) -> PerturbSettings.Format
    {
        switch form {
        case "application/x-safetensors":
            guard settings.format == nil || settings.format == .raw else {
                throw Problem(
                    .conflictingFields,
                    Problem.Reason(
                        "safetensors hold pixels, not files", field: "format", expected: "raw",
                        found: settings.format?.rawValue))
            }
            return .raw
        case "image/jpeg": return .jpeg
        default: return settings.format ?? .png
        }
    }

    private func encoded(
        _ pictures: [PerturbedPicture], _ settings: PerturbSettings, _ format: PerturbSettings.Format
    ) throws(Problem) -> PerturbReply {
        let encoding = settings.encoding(format)
        let places = pictures.indices.flatMap { picture in
            pictures[picture].views.indices.map { (picture, $0) }
        }
        let results = mapInParallel(places.count, operations: .max) { index -> Result<[UInt8], ImageError> in
            do throws(ImageError) {
                let (picture, view) = places[index]
                return .success(try pictures[picture].views[view].image.encoded(as: encoding))
            } catch {
                return .failure(error)
            }
        }
        var faults = Faults()
        var views = pictures.map { _ in [PerturbReply.View]() }
        for ((picture, view), result) in zip(places, results) {
            switch result {
            case .success(let bytes):
                views[picture].append(.init(made: pictures[picture].views[view], bytes: bytes))
            case .failure(let error):
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(picture)]"))
            }
        }
        try faults.check()
        return PerturbReply(
            pictures: Array(zip(pictures, views)), format: format, mediaType: encoding.mediaType,
            hasVariants: settings.variants > 1)
    }
}

extension RequestHead {
    func refuseQuery() throws(Problem) {
        guard let item = query.first else { return }
        throw Problem(
            .unknownOption, "this form takes no query parameters; its settings are in the body",
            field: item.name)
    }
}
