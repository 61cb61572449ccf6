import HTTP
import HTTPTypes
import Images

/// /v1/perturb: pictures and recipes or steps → perturbed views.
struct PerturbEndpoint: Sendable {
    let limits: ImageLimits
    let memoryBudget: Int

    static let safetensors = "application/x-safetensors"
    static let bodyTypes = [
        "application/json", "multipart/form-data", safetensors, "image/jpeg", "image/png",
    ]
    private static let forms: [String: PerturbTerms.Form] = [
        "application/json": .json, "multipart/mixed": .multipart, safetensors: .safetensors,
    ]
    private static let collections = ["application/json", "multipart/mixed", safetensors]

    /// - Throws: what is wrong with the request and the headers of its pictures.
    func work(_ bytes: [UInt8], head: RequestHead, _ scope: RequestScope) throws(Problem) -> PlannedRequest {
        let isRaw = head.mediaType?.hasPrefix("image/") ?? false
        let request = try request(bytes, head, scope)
        let type = replyForm(head, request.settings, isRaw: isRaw)
        let form = Self.forms[type] ?? .image
        let format = try format(request.settings, type)
        if isRaw, form == .image, request.settings.variants > 1 {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "several variants need a reply that holds several images", field: "variants",
                    expected: "Accept: " + PerturbEndpoint.collections.joined(separator: " or ")))
        }
        let terms = PerturbTerms(
            limits: limits, memoryBudget: memoryBudget, form: form, workers: WorkerPool.coreCount,
            viewsClaimedAtFirst: form == .multipart ? 1 : nil)
        return try PlannedRequest(request, format: format, terms, scope)
    }

    /// - Throws: what is wrong with the pixels, and steps that don't fit them.
    func respond(
        to planned: PlannedRequest, instruments: Instruments, _ scope: RequestScope,
        _ timer: inout PhaseTimer
    ) throws(Problem) -> Response {
        let batch = try PerturbBatch(planned, scope)
        let reply = PerturbReply(batch: batch)
        instruments.count(images: batch.pictures.count, views: batch.places.count)
        timer.end(.decode)
        let form = planned.terms.form
        if form == .multipart {
            return try reply.multipartResponse(
                from: planned.request.pictures, planned.cost, WorkWatch { scope.isWanted })
        }
        let made = try batch.allBytes()
        timer.end(.compute)
        defer { timer.end(.encode) }
        switch form {
        case .json: return reply.jsonResponse(made)
        case .safetensors: return reply.safetensorsResponse(made)
        case .image, .multipart: return reply.imageResponse(made)
        }
    }

    private func request(
        _ bytes: [UInt8], _ head: RequestHead, _ scope: RequestScope
    ) throws(Problem) -> PerturbRequest {
        let isRaw = head.mediaType?.hasPrefix("image/") ?? false
        if !isRaw { try head.refuseQuery() }
        if head.mediaType == PerturbEndpoint.safetensors {
            let layout = try PerturbRequest.layout(of: bytes, scope)
            return try PerturbRequest(safetensors: bytes, layout, mostPixels: limits.maxPixels)
        }
        // Its text, and what base64 in it stands for.
        try scope.take(isRaw ? 0 : bytes.count.timesSaturating(2))
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
        guard isRaw else {
            // Pixels for pixels.
            let collections =
                head.mediaType == PerturbEndpoint.safetensors
                ? Array(PerturbEndpoint.collections.reversed()) : PerturbEndpoint.collections
            return preferredMediaType(head.headers, offers: collections)
        }
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
}

extension RequestHead {
    func refuseQuery() throws(Problem) {
        guard let item = query.first else { return }
        throw Problem(
            .unknownOption, "this form takes no query parameters; its settings are in the body",
            field: item.name)
    }
}
