import HTTP
import HTTPTypes
import Images

/// /v1/perturb: pictures and recipes or steps → perturbed views.
struct PerturbEndpoint: Sendable {
    let limits: ImageLimits
    let memoryBudget: Int

    static let bodyTypes: [MediaType] = [.json, .form, .safetensors, .jpeg, .png]
    private static let collections: [MediaType] = [.json, .mixed, .safetensors]

    /// - Throws: faults of the request and of its pictures' headers.
    func work(_ bytes: [UInt8], head: RequestHead, _ scope: RequestScope) throws(Problem) -> PlannedRequest {
        let isRaw = head.mediaType?.isPicture ?? false
        let request = try request(bytes, head, scope)
        let type = replyType(head, request.settings, isRaw: isRaw)
        let form = PerturbTerms.Form(type)
        let format = try format(request.settings, type)
        if isRaw, form == .image, request.settings.variants > 1 {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "a reply of one image cannot hold several variants", field: "variants",
                    expected: "Accept: "
                        + PerturbEndpoint.collections.map(\.rawValue).joined(separator: " or ")))
        }
        let terms = PerturbTerms(
            limits: limits, memoryBudget: memoryBudget, form: form, workers: WorkerPool.coreCount,
            viewsClaimedAtFirst: form == .multipart ? 1 : nil)
        return try PlannedRequest(request, format: format, terms, scope)
    }

    /// - Throws: faults of the pixels, and steps that do not fit them.
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
        let isRaw = head.mediaType?.isPicture ?? false
        if !isRaw { try head.refuseQuery() }
        if head.mediaType == .safetensors {
            let layout = try PerturbRequest.layout(of: bytes, scope)
            return try PerturbRequest(safetensors: bytes, layout, mostPixels: limits.maxPixels)
        }
        // The text, and the bytes of its base64.
        try scope.claimMemory(isRaw ? 0 : bytes.count.timesSaturating(2))
        switch head.mediaType {
        case .jpeg, .png: return try PerturbRequest(picture: bytes, query: head.query)
        case .form:
            let type = head.headers[.contentType].map(ParameterizedField.init)
            return try PerturbRequest(multipart: bytes, boundary: type?.parameter("boundary"))
        case .json, .safetensors, .bytes, .mixed, nil: return try PerturbRequest(json: bytes)
        }
    }

    /// The media type of the reply. For a single image, the format determines it.
    private func replyType(_ head: RequestHead, _ settings: PerturbSettings, isRaw: Bool) -> MediaType {
        guard isRaw else {
            // A request with pixels gets pixels.
            let collections =
                head.mediaType == .safetensors
                ? Array(PerturbEndpoint.collections.reversed()) : PerturbEndpoint.collections
            return preferredMediaType(head.headers, offers: collections)
        }
        let images: [MediaType] =
            switch settings.format {
            case .png: [.png]
            case .jpeg: [.jpeg]
            case .raw: [.bytes]
            case nil: [.png, .jpeg]
            }
        return preferredMediaType(head.headers, offers: images + PerturbEndpoint.collections)
    }

    private func format(
        _ settings: PerturbSettings, _ type: MediaType
    ) throws(Problem) -> PerturbSettings.Format {
        switch type {
        case .safetensors:
            guard settings.format == nil || settings.format == .raw else {
                throw Problem(
                    .conflictingFields,
                    Problem.Reason(
                        "safetensors hold pixels, not files", field: "format", expected: "raw",
                        found: settings.format?.rawValue))
            }
            return .raw
        case .jpeg: return .jpeg
        case .json, .bytes, .form, .mixed, .png: return settings.format ?? .png
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
