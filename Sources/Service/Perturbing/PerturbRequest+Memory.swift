import HTTP
import Images

extension PerturbRequest {
    /// What every picture says about itself.
    /// - Throws: all pictures that can't be read or are too large.
    func claims(_ limits: ImageLimits) throws(Problem) -> [PictureClaim] {
        var faults = Faults()
        var claims: [PictureClaim] = []
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                claims.append(try picture.source.claim(limits))
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
        return claims
    }

    /// What the pictures and their views take at most: the files, which lie beside the body they came in, the decoded
    /// pictures, decoders at work, and the views, in the making and made. Above the budget it is no longer exact.
    func neededBytes(_ claims: [PictureClaim], _ plan: PerturbPlan) -> Int {
        let decoders = (claims.map(\.decoderBytes).max() ?? 0)
            .multipliedSaturating(by: min(claims.count, WorkerPool.coreCount))
        let decoded = claims.reduce(0) { $0.addingSaturating($1.decodedBytes) }
        let isKept = plan.viewsAtOnce == nil || usesSecondPictures
        let whole = fileBytes.addingSaturating(decoders)
            .addingSaturating(isKept ? decoded : min(decoded, DecodedPictures.keptBytes))
        // Of a streamed reply the largest view must be found, however many there are.
        let enough = plan.viewsAtOnce == nil ? plan.memoryBudget : .max
        return whole.addingSaturating(viewBytes(claims, plan, upTo: enough))
    }

    /// The files, which lie beside the body they came in.
    var fileBytes: Int { pictures.reduce(0) { $0.addingSaturating($1.source.heldBytes) } }

    /// What one view of a streamed reply takes at most, its picture decoded again.
    func partBytes(_ claims: [PictureClaim], _ plan: PerturbPlan) -> Int {
        viewBytes(claims, plan, upTo: .max).addingSaturating(claims.map(\.decoderBytes).max() ?? 0)
    }

    private func viewBytes(_ claims: [PictureClaim], _ plan: PerturbPlan, upTo enough: Int) -> Int {
        let stepBytes = views.map(\.content.stepBytes)
        let joined = joinedBytes(claims.map(\.size))
        var largest = 0
        var all = 0
        for (index, claim) in claims.enumerated() where !pictures[index].isSecondOnly {
            for (view, stepBytes) in zip(views, stepBytes) where all <= enough {
                let size = view.content.largestOutput(for: claim.size, seconds: []) { _ in nil }
                let bytes = size.pixelCount.multipliedSaturating(by: plan.bytesPerPixel)
                    .addingSaturating(stepBytes)
                all = all.addingSaturating(bytes.multipliedSaturating(by: settings.variants))
                // Decoded again, should its picture not be kept.
                largest = max(largest, bytes.addingSaturating(claim.decodedBytes))
            }
        }
        guard let viewsAtOnce = plan.viewsAtOnce else {
            return joined.reduce(all) { $0.addingSaturating($1.multipliedSaturating(by: settings.variants)) }
        }
        return largest.addingSaturating(joined.max() ?? 0).multipliedSaturating(by: viewsAtOnce)
    }
}

extension Problem {
    fileprivate static func imageTooLarge(_ faults: Faults, limit: Int) -> Problem {
        do throws(Problem) {
            try faults.check()
        } catch {
            return error.kind == .imageTooLarge ? error.limited(to: limit) : error
        }
        preconditionFailure("a picture that is too large is a fault")
    }
}
