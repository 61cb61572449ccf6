import AllocationCount
import ContactSheet
import HTTP
import HTTPTypes
import Images
import JSON
import Testing
import Text

@testable import Service

/// Requests of every form, one view at a time, take what their plan claims.
@Suite("Requests take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct RequestClaimTests {
    static let viewTexts: [String] = [
        #"{"name": "v", "steps": []}"#, #"{"name": "v", "steps": [{"step": "invert"}]}"#,
        #"{"name": "v", "steps": [{"step": "occlusion", "patches": [], "noise_seed": 1}, {"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}]}"#,
        #"{"name": "v", "steps": [{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}, {"step": "solarize", "threshold": 256}, {"step": "concat", "image": 1}]}"#,
        #"{"name": "v", "steps": [{"step": "mixup", "image": 1}, {"step": "rotation", "degrees": 0.05, "expand": true}]}"#,
    ]
    static let formats = [
        #""format": "png""#, #""format": "png", "level": 6"#, #""format": "raw""#,
        #""format": "jpeg", "quality": 100"#, #""format": "jpeg", "subsampling": "4:2:0""#,
    ]
    static let forms: [PerturbTerms.Form] = [.json, .multipart]

    private static func terms(_ form: PerturbTerms.Form) -> PerturbTerms {
        PerturbTerms(
            limits: ImageLimits(), memoryBudget: 1 << 40, form: form, workers: 1,
            viewsAtOnce: form == .multipart ? 2 : nil)
    }

    /// The reply in full, its views one after the other.
    private static func reply(_ batch: PerturbBatch, _ form: PerturbTerms.Form) throws -> [[UInt8]] {
        let reply = PerturbReply(batch: batch)
        switch form {
        case .json: return reply.jsonResponse(try batch.allBytes()).body
        case .safetensors: return reply.safetensorsResponse(try batch.allBytes()).body
        case .image: return reply.imageResponse(try batch.allBytes()).body
        case .multipart:
            let rest = try #require(reply.multipartResponse(from: [], WorkCost(operations: 0)).rest)
            var held: [[[UInt8]]] = []
            for index in 0..<rest.pieceCount {
                held.append(try #require(rest.piece(index)))
                if held.count > 1 { held.removeFirst() }
            }
            return held[held.count - 1]
        }
    }

    private func expectClaim(
        _ request: PerturbRequest, _ format: PerturbSettings.Format, _ form: PerturbTerms.Form,
        _ what: String,
        isTight: Bool = true
    ) throws {
        let files = request.pictures.reduce(0) { $0 + $1.source.heldBytes }
        let (taken, batch) = try Allocations.counting {
            let planned = try PlannedRequest(request, format: format, Self.terms(form), .unbounded)
            let batch = try PerturbBatch(planned, .unbounded)
            let body = try Self.reply(batch, form)
            #expect(!body.isEmpty)
            return batch
        }
        // The files are there already, and claimed with the rest.
        Allocations(peak: taken.peak + files, kept: 0)
            .expect(within: batch.plan.peakBytes, floor: isTight ? 256 << 10 : .max / 2, what)
        #expect(batch.plan.operations > 0)
    }

    @Test("Views of every shape and format", arguments: viewTexts, formats)
    func views(_ view: String, _ format: String) throws {
        for (width, height) in [(330, 300), (1, 60_000), (60_000, 1)] {
            let size = PixelSize(width: width, height: height)
            let pictures = [
                noise(size.width, size.height, levels: [0, 255]), noise(200, 150, levels: [0, 255]),
            ]
            let text = #"{"views": [\#(view)], \#(format), "images": [\#(try images(pictures))]}"#
            let request = try PerturbRequest(json: Array(text.utf8))
            let claims = try request.claims(ImageLimits())
            guard (try? request.drawn(for: claims.map(\.size), .raw)) != nil else { continue }
            for form in Self.forms {
                let settled = try #require(request.settings.format)
                // How large a JPEG becomes depends on what is in it; the codec's own claim is tested for tightness.
                try expectClaim(
                    request, settled, form, "\(view) as \(format) of \(size), \(form)",
                    isTight: settled != .jpeg)
            }
        }
    }

    @Test("Several views of several pictures")
    func several() throws {
        let pictures = try images([noise(300, 200), noise(200, 300), noise(100, 500)], others: false)
        for format in Self.formats {
            let text =
                #"{"variants": 3, \#(format), "images": [\#(pictures)], "views": ["#
                + #"{"name": "a", "recipe": "cppo-removing"}, {"name": "b", "recipe": "papo-removing"}]}"#
            let request = try PerturbRequest(json: Array(text.utf8))
            for form in Self.forms {
                let settled = try #require(request.settings.format)
                // Crops of noise are smooth, and their files small.
                try expectClaim(request, settled, form, "\(format), \(form)", isTight: settled == .raw)
            }
        }
    }

    private func images(_ pictures: [PixelImage], others: Bool = true) throws -> String {
        try pictures.enumerated().map { index, image in
            let isOther = others && index > 0
            let data = String(decoding: Base64.encode(try image.encoded(as: .png(level: 1))), as: UTF8.self)
            return #"{"id": "\#(index)", \#(isOther ? #""second_only": true, "# : "") "data": "\#(data)"}"#
        }.joined(separator: ",")
    }

    @Test("Contact sheets", arguments: shapes)
    func sheets(_ size: PixelSize) throws {
        let isTall = size.height > 100 * size.width
        for (name, width) in [("cppo-removing", 96), ("vision-matters-concat", 300), ("noisyrollout", 64)]
        where !isTall || name != "vision-matters-concat" {
            let image = try noise(size.width, size.height).encoded(as: .png(level: 1))
            let members: [JSONValue.Member] = [.init("draws", 4), .init("width", .integer(Int64(width)))]
            var faults = Faults()
            let request = try PreviewRequest(
                name: name, members: members, PreviewOptions.all, asFields: true,
                pictures: PreviewRequest.Pictures(image: image), &faults)
            let endpoint = PreviewEndpoint(limits: ImageLimits(), memoryBudget: 1 << 40, workers: 1)
            let (taken, claimed) = try Allocations.counting {
                var timer = PhaseTimer()
                let work = try endpoint.work(on: request, .unbounded)
                let sheet = try endpoint.sheet(of: work, .unbounded, &timer)
                let picture = try #require(sheet.drawn())
                #expect(try !picture.encoded(as: PreviewPlan.encoding).isEmpty)
                return work.plan.peakBytes
            }
            Allocations(peak: taken.peak + image.count, kept: 0)
                .expect(within: claimed, floor: 256 << 10, "\(name) of \(size)")
        }
    }
}
