import AllocationCount
import Images
import Testing

/// What some work really allocated.
struct Allocations {
    let peak: Int
    let kept: Int

    /// Runs the work and counts; its result is still there then. The second time, for tables that are made once are no
    /// request's.
    static func counting<Result>(_ work: () throws -> Result) rethrows -> (Allocations, Result) {
        _ = try work()
        allocation_count_begin()
        let result: Result
        do {
            result = try work()
        } catch {
            _ = allocation_count_end()
            throw error
        }
        let counted = allocation_count_end()
        return (Allocations(peak: counted.peak, kept: counted.live), result)
    }

    /// Of a step, codec or part, which its claim leaves out; with the page that the allocator may round a large block up to.
    static let smallObjects = 8192

    /// Expects that the claim covers what was taken, and is no more than `most` times that and `floor` bytes.
    ///
    /// - Parameter isTight: whether it belongs in the report.
    func expect(
        within claim: Int, floor: Int = 64 << 10, most: Double = 1.3, isTight: Bool = true, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        if isTight { ClaimReport.add(what, claim: claim, taken: peak) }
        #expect(
            peak <= claim + Self.smallObjects, "\(what): \(claim) bytes were claimed, \(peak) taken",
            sourceLocation: sourceLocation)
        #expect(
            Double(claim) <= Double(peak) * most + Double(floor),
            "\(what): \(claim) bytes were claimed, only \(peak) taken",
            sourceLocation: sourceLocation)
    }
}

/// Noise, which no format makes smaller.
func noise(_ width: Int, _ height: Int, levels: [UInt8] = Array(0...255)) -> PixelImage {
    var state = UInt64(width * 7919 + height)
    let samples = (0..<width * height * 3).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return levels[Int(state >> 33) % levels.count]
    }
    return PixelImage(width: width, height: height, samples: samples)
}

/// Squares, both kinds of strips, and what lies between.
let shapes = [
    (1, 1), (330, 300), (640, 600), (120, 800), (1, 90_000), (90_000, 1), (30_000, 3), (7, 13_000),
].map {
    PixelSize(width: $0.0, height: $0.1)
}
