import AllocationCount
import ContactSheet
import HTTP
import Images
import JSON
import Perturbation
import Testing

@testable import Service

@Suite("Contact sheets take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct PreviewClaimTests {
    @Test("Of every recipe and shape", arguments: RecipeClaimTests.names, shapes)
    func sheets(_ name: String, _ size: PixelSize) throws {
        let image = try noise(size.width, size.height).encoded(as: .png(level: 1))
        for (draws, width) in [(4, 96), (2, 300)] {
            let members: [JSONValue.Member] = [
                .init("draws", .integer(Int64(draws))), .init("width", .integer(Int64(width))),
            ]
            var faults = Faults()
            let request = try PreviewRequest(
                name: name, members: members, PreviewOptions.all, asFields: true,
                pictures: PreviewRequest.Pictures(image: image), &faults)
            let endpoint = PreviewEndpoint(limits: ImageLimits(), memoryBudget: 1 << 40, workers: 1)
            let planned = try endpoint.work(on: request, .unbounded)
            // Draws that don't fit the picture are refused, as are sheets that nobody could look at.
            guard (try? planned.drawn.get()) != nil,
                planned.plan.layout.largestSheet.pixelCount <= PreviewEndpoint.mostSheetPixels
            else { continue }
            let (taken, claimed) = try Allocations.counting {
                var timer = PhaseTimer()
                let work = try endpoint.work(on: request, .unbounded)
                let sheet = try endpoint.sheet(of: work, .unbounded, &timer)
                let picture = try #require(sheet.drawn())
                #expect(try !picture.encoded(as: PreviewPlan.encoding).isEmpty)
                return work.plan.peakBytes
            }
            Allocations(peak: taken.peak + image.count, kept: 0)
                .expect(within: claimed, floor: 256 << 10, "sheet of \(name) of \(size)")
        }
    }
}
