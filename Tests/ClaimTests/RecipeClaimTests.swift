import AllocationCount
import Images
import Perturbation
import Testing

@testable import Service

/// Every recipe of the catalogue, in every form, takes what the plan of its draw claims.
@Suite("Recipes take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct RecipeClaimTests {
    static let names = RecipeCatalogue.all.map(\.name)

    private func pictures(_ size: PixelSize) -> [PixelImage] {
        [noise(size.width, size.height), noise(200, 150)]
    }

    @Test("Of every form", arguments: names, [(900, 400), (60_000, 3), (3, 60_000)])
    func recipe(_ name: String, _ size: (width: Int, height: Int)) throws {
        let size = PixelSize(width: size.width, height: size.height)
        for seed in 0..<3 {
            let views = #""views": [{"name": "v", "recipe": "\#(name)", "seed": \#(seed)}]"#
            for (format, form) in [
                ("png", .json), ("raw", .safetensors), ("png", .multipart), ("raw", .multipart),
            ]
                as [(String, PerturbTerms.Form)]
            {
                let members = views + #", "format": "\#(format)""#
                let request = try ClaimedRequest.json(members, pictures(size), others: true)
                let claimed = ClaimedRequest(request, form: form)
                // Strips beside pictures can be too large.
                guard try claimed.isLegal else { continue }
                try claimed.expectClaim("\(name) \(seed) as \(format) of \(size), \(form)")
            }
            let members = views + #", "images": [{"id": "0"}, {"id": "1", "second_only": true}]"#
            let claimed = ClaimedRequest(
                try ClaimedRequest.tensors(members, pictures(size)), form: .safetensors)
            guard try claimed.isLegal else { continue }
            try claimed.expectClaim("\(name) \(seed) of pixels, \(size)")
        }
    }
}
