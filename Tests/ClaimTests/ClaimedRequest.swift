import HTTP
import HTTPTypes
import Images
import JSON
import Tensor
import Testing
import Text

@testable import Service

/// A request that is answered here as the server does it, its plan held against what it takes.
struct ClaimedRequest {
    let request: PerturbRequest
    let format: PerturbSettings.Format
    let form: PerturbTerms.Form
    var workers = 1

    static let forms: [PerturbTerms.Form] = [.json, .safetensors, .multipart]

    /// Bare samples are all that safetensors hold.
    init(_ request: PerturbRequest, form: PerturbTerms.Form, workers: Int = 1) {
        (self.request, self.form, self.workers) = (request, form, workers)
        format = form == .safetensors ? .raw : request.settings.format ?? .png
    }

    private var terms: PerturbTerms {
        PerturbTerms(
            limits: ImageLimits(), memoryBudget: 1 << 40, form: form, workers: workers,
            viewsClaimedAtFirst: form == .multipart ? 1 : nil)
    }

    func planned() throws -> PlannedRequest {
        try PlannedRequest(request, format: format, terms, .unbounded)
    }

    /// Whether its steps fit its pictures, and its format their sizes.
    var isLegal: Bool { get throws { (try? planned().drawn.get()) != nil } }

    /// All of it; of a streamed one what is there when the first part is made.
    /// - Returns: the plan, and the reply's body so far.
    func answered() throws -> (plan: PerturbPlan, body: [[UInt8]]) {
        let batch = try PerturbBatch(try planned(), .unbounded)
        let reply = PerturbReply(batch: batch)
        switch form {
        case .json: return (batch.plan, reply.jsonResponse(try batch.allBytes()).body)
        case .safetensors: return (batch.plan, reply.safetensorsResponse(try batch.allBytes()).body)
        case .image: return (batch.plan, reply.imageResponse(try batch.allBytes()).body)
        case .multipart:
            let response = try reply.multipartResponse(from: request.pictures, WorkCost(operations: 0))
            let rest = try #require(response.rest)
            _ = rest.begin(0)
            return (batch.plan, response.body + (try #require(rest.piece(0))))
        }
    }

    /// The files are there already, and claimed with the rest.
    private var fileBytes: Int { request.pictures.reduce(0) { $0 + $1.source.heldBytes } }

    func expectClaim(
        _ what: String, floor: Int = 160 << 10, most: Double = 1.3,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (taken, answer) = try Allocations.counting {
            let answer = try answered()
            #expect(answer.body.contains { !$0.isEmpty })
            return answer
        }
        Allocations(peak: taken.peak + fileBytes, kept: 0)
            .expect(
                within: answer.plan.peakBytes, floor: floor, most: most,
                isTight: most <= 1.3 && floor <= 160 << 10, what,
                sourceLocation: sourceLocation)
        #expect(answer.plan.operations > 0)
    }
}

extension ClaimedRequest {
    /// The body of a request with these pictures, those after the first to be read by steps only where `others` says so.
    static func json(_ members: String, _ pictures: [PixelImage], others: Bool) throws -> PerturbRequest {
        let images = try pictures.enumerated().map { index, image in
            let isOther = others && index > 0
            let data = String(decoding: Base64.encode(try image.encoded(as: .png(level: 1))), as: UTF8.self)
            return #"{"id": "\#(index)", \#(isOther ? #""second_only": true, "# : "") "data": "\#(data)"}"#
        }
        return try PerturbRequest(
            json: Array("{\(members), \"images\": [\(images.joined(separator: ","))]}".utf8))
    }

    /// The same with pixels for files.
    static func tensors(_ members: String, _ pictures: [PixelImage]) throws -> PerturbRequest {
        var writer = SafetensorsWriter()
        writer.setMetadata("request", "{\(members)}")
        for (index, image) in pictures.enumerated() {
            writer.append("\(index)", .uint8, shape: [image.height, image.width, 3], bytes: image.samples)
        }
        let body = writer.segments().flatMap { $0 }
        return try PerturbRequest(
            safetensors: body, try PerturbRequest.layout(of: body, .unbounded), mostPixels: 50_000_000)
    }
}
