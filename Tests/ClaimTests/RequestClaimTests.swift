import AllocationCount
import HTTP
import Images
import Testing

@testable import Service

/// Requests of every form, one view at a time, take what their plan claims.
@Suite("Requests take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct RequestClaimTests {
    static let steps: [String] = [
        "[]", #"[{"step": "invert"}]"#,
        #"[{"step": "occlusion", "patches": [], "noise_seed": 1}, {"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}]"#,
        #"[{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}, {"step": "solarize", "threshold": 256}, {"step": "concat", "image": 1}]"#,
        #"[{"step": "mixup", "image": 1}, {"step": "rotation", "degrees": 0.05, "expand": true}]"#,
    ]
    static let formats = [
        #""format": "png""#, #""format": "png", "level": 6"#, #""format": "raw""#,
        #""format": "jpeg", "quality": 100"#, #""format": "jpeg", "subsampling": "4:2:0""#,
    ]
    static let sizes = [(330, 300), (1200, 300), (1, 60_000), (60_000, 1)].map {
        PixelSize(width: $0.0, height: $0.1)
    }

    /// Samples that make the largest files of a format: what a file takes in the end depends on what it shows.
    static func noisiest(_ width: Int, _ height: Int, _ format: String) -> PixelImage {
        noise(width, height, levels: format.contains("jpeg") ? [0, 255] : Array(0...255))
    }

    private func pictures(_ size: PixelSize, _ format: String) -> [PixelImage] {
        [Self.noisiest(size.width, size.height, format), Self.noisiest(200, 150, format)]
    }

    /// A strip's JPEG is made of blocks that are one pixel and its copies, and much smaller than such blocks may be.
    private func floor(_ claimed: ClaimedRequest, _ size: PixelSize) -> Int {
        let isStrip = claimed.format == .jpeg && min(size.width, size.height) < 8
        return isStrip ? 24 * max(size.width, size.height) * 2 : 160 << 10
    }

    @Test("Views of every shape and format", arguments: steps, formats)
    func views(_ steps: String, _ format: String) throws {
        for size in Self.sizes {
            let members = #""views": [{"name": "v", "steps": \#(steps)}], \#(format)"#
            let request = try ClaimedRequest.json(members, pictures(size, format), others: true)
            for form in ClaimedRequest.forms where form != .safetensors || format == Self.formats[2] {
                let claimed = ClaimedRequest(request, form: form)
                guard try claimed.isLegal else { continue }
                try claimed.expectClaim(
                    "\(steps) as \(format) of \(size), \(form)", floor: floor(claimed, size))
            }
        }
    }

    @Test("Pixels for pixels", arguments: steps)
    func pixels(_ steps: String) throws {
        for size in Self.sizes {
            let members =
                #""views": [{"name": "v", "steps": \#(steps)}], "images": [{"id": "0"}, {"id": "1", "second_only": true}]"#
            let claimed = ClaimedRequest(
                try ClaimedRequest.tensors(members, pictures(size, "raw")), form: .safetensors)
            guard try claimed.isLegal else { continue }
            try claimed.expectClaim("\(steps) of pixels, \(size)")
        }
    }

    @Test("One picture for one picture", arguments: formats)
    func image(_ format: String) throws {
        let options = format.replacing("\"", with: "").replacing(": ", with: "=").replacing(", ", with: "&")
        let text = #"[{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}]"#
        for size in Self.sizes {
            let file = try pictures(size, format)[0].encoded(as: .png(level: 1))
            let query =
                [QueryItem(name: "steps", value: text)]
                + options.split(separator: "&").map {
                    let parts = $0.split(separator: "=")
                    return QueryItem(name: String(parts[0]), value: String(parts[1]))
                }
            let claimed = ClaimedRequest(try PerturbRequest(picture: file, query: query), form: .image)
            try claimed.expectClaim("\(format) of \(size), image", floor: floor(claimed, size))
        }
    }

    @Test("Several views of several pictures", arguments: formats)
    func several(_ format: String) throws {
        let steps = #"[{"step": "patch_shuffle", "patch": 4, "shuffle_seed": 3}]"#
        let members =
            #""variants": 3, \#(format), "views": ["#
            + #"{"name": "a", "steps": \#(steps)}, {"name": "b", "steps": [{"step": "invert"}]}]"#
        let pictures = [(300, 200), (200, 300), (104, 504)].map {
            Self.noisiest($0.0, $0.1, format)
        }
        let request = try ClaimedRequest.json(members, pictures, others: false)
        for form in ClaimedRequest.forms where form != .safetensors || format == Self.formats[2] {
            try ClaimedRequest(request, form: form).expectClaim("several as \(format), \(form)")
        }
    }
}
