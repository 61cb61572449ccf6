import AllocationCount
import ForeignPictures
import HTTP
import Images
import Testing

@testable import Service

/// What a streamed reply claims for each part as it is made.
@Suite("Parts of a stream take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct StreamClaimTests {
    private static let steps = RequestClaimTests.steps

    private func parts(_ format: String) throws -> any BodySource {
        let views = Self.steps.enumerated().map { #"{"name": "v\#($0)", "steps": \#($1)}"# }
        let members = #""views": [\#(views.joined(separator: ","))], \#(format)"#
        let pictures = [(704, 600), (504, 400)].map { RequestClaimTests.noisiest($0.0, $0.1, format) }
        let claimed = ClaimedRequest(
            try ClaimedRequest.json(members, pictures, others: true), form: .multipart)
        let batch = try PerturbBatch(try claimed.planned(), .unbounded)
        let reply = PerturbReply(batch: batch)
        let response = try reply.multipartResponse(from: claimed.request.pictures, WorkCost(operations: 0))
        return try #require(response.rest)
    }

    @Test("While their pictures are held", arguments: RequestClaimTests.formats)
    func held(_ format: String) throws {
        try expectClaims(try parts(format), "part as \(format)") { _ in }
    }

    private func expectClaims(
        _ source: any BodySource, _ what: String, before: (any BodySource) -> Void
    ) throws {
        for index in 0..<source.pieceCount {
            before(source)
            let (kept, claim) = (source.keptBytes, source.claim(of: index))
            let making = source.begin(index)
            #expect(source.keptBytes + making == kept + claim)
            allocation_count_begin()
            let piece = source.piece(index)
            let taken = allocation_count_end()
            #expect(try #require(piece).contains { !$0.isEmpty })
            Allocations(peak: taken.peak, kept: taken.live).expect(
                within: claim, floor: 96 << 10, "\(what), \(index)")
        }
    }

    /// One picture and a request.
    private func form(_ file: [UInt8], _ request: String) -> [UInt8] {
        func head(_ name: String, _ type: String) -> [UInt8] {
            Array(
                "--cut\r\nContent-Disposition: form-data; name=\(name); filename=\(name)\r\nContent-Type: \(type)\r\n\r\n"
                    .utf8)
        }
        return head("request", "application/json") + Array("\(request)\r\n".utf8)
            + head("cup", "image/png") + file + Array("\r\n--cut--\r\n".utf8)
    }

    /// One picture in one view after the other, let go of in between.
    @Test("When their pictures are decoded again", arguments: [1, 10])
    func decodedAgain(_ scans: Int) throws {
        let image = noise(900, 800)
        let file =
            scans == 1
            ? try image.encoded(as: .png(level: 1)) : ForeignPicture.progressive(image, scans: scans)
        let views = ["invert", "fill", "vertical_flip"].map {
            #"{"name": "\#($0)", "steps": [{"step": "\#($0)"}]}"#
        }
        let request = try PerturbRequest(
            multipart: form(file, #"{"format": "raw", "views": [\#(views.joined(separator: ","))]}"#),
            boundary: "cut")
        let claimed = ClaimedRequest(request, form: .multipart)
        let batch = try PerturbBatch(try claimed.planned(), .unbounded)
        let reply = PerturbReply(batch: batch)
        let response = try reply.multipartResponse(from: request.pictures, WorkCost(operations: 0))
        try expectClaims(try #require(response.rest), "part of \(scans) scans") { $0.letGo() }
    }
}
