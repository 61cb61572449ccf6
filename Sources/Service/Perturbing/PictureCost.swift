import Images

/// About how long work on pictures takes, as far as their headers and the request say.
///
/// It decides which threads do the work and in what order, so it need not be exact: a factor of two does no harm.
struct PictureCost: Sendable, Equatable {
    /// Each a quarter of a nanosecond on one core.
    var operations: Int

    private static let perSecond = 4e9
    /// Up to here work is short: 64 ms. Threads that do short work never take longer one.
    private static let mostOfShort = 256_000_000

    var isShort: Bool { operations <= Self.mostOfShort }

    /// On one core.
    var expected: Duration { .seconds(Double(operations) / Self.perSecond) }

    /// Of one of so many equal parts.
    func part(of count: Int) -> PictureCost { PictureCost(operations: operations / max(1, count)) }

    static let none = PictureCost(operations: 0)

    static func + (a: PictureCost, b: PictureCost) -> PictureCost {
        PictureCost(operations: a.operations.addingSaturating(b.operations))
    }

    static func * (cost: PictureCost, count: Int) -> PictureCost {
        PictureCost(operations: cost.operations.multipliedSaturating(by: count))
    }

    /// - Parameter pixels: of the file.
    static func decoding(pixels: Int) -> PictureCost {
        PictureCost(operations: pixels.multipliedSaturating(by: 24))
    }

    /// Of one view.
    /// - Parameters:
    ///   - pixels: of the larger of picture and result.
    ///   - steps: how many are applied.
    static func perturbing(pixels: Int, steps: Int) -> PictureCost {
        PictureCost(operations: pixels.multipliedSaturating(by: 24)) * max(1, steps)
    }

    static func encoding(pixels: Int, as encoding: ImageEncoding) -> PictureCost {
        let ofPixel =
            switch encoding {
            case .raw: 2
            case .jpeg: 40
            // Deflate looks for matches in longer and longer chains.
            case .png(let level): level < 2 ? 16 : level < 7 ? 250 : 1500
            }
        return PictureCost(operations: pixels.multipliedSaturating(by: ofPixel))
    }
}

extension PerturbRequest {
    /// Of decoding all pictures, and of making and encoding all views.
    func cost(_ claims: [PictureClaim], _ encoding: ImageEncoding) -> PictureCost {
        var cost = PictureCost.none
        for (picture, claim) in zip(pictures, claims) {
            cost = cost + .decoding(pixels: claim.size.pixelCount)
            if picture.isSecondOnly { continue }
            for view in views {
                let result = view.content.largestOutput(for: claim.size, seconds: []) { _ in nil }.pixelCount
                let one =
                    PictureCost.perturbing(
                        pixels: max(result, claim.size.pixelCount), steps: view.content.stepCount)
                    + .encoding(pixels: result, as: encoding)
                cost = cost + one * settings.variants
            }
        }
        return cost
    }
}

extension PerturbRequest.Content {
    /// Steps that are applied; of a recipe, two, as most draw one or two.
    var stepCount: Int {
        switch self {
        case .steps(let steps): steps.count
        case .recipe: 2
        }
    }
}
