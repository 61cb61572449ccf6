import HTTP
import Images

extension PerturbRequest {
    /// What every picture says about itself.
    /// - Throws: all pictures that can't be read or are too large.
    func headers(_ limits: ImageLimits) throws(Problem) -> [ImageHeader] {
        var faults = Faults()
        var headers: [ImageHeader] = []
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                headers.append(try ImageHeader(probing: picture.bytes.span, limits: limits))
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
        return headers
    }

    /// What the pictures and their views take at most: the files, which lie beside the body they came in, the decoded
    /// pictures, decoders at work, and the views, in the making and made. Above the budget it is no longer exact.
    func neededBytes(_ headers: [ImageHeader], _ plan: PerturbPlan) -> Int {
        let files = pictures.reduce(0) { $0.addingSaturating($1.bytes.count) }
        let decoders = (headers.map(\.decoderBytes).max() ?? 0)
            .multipliedSaturating(by: min(headers.count, WorkerPool.coreCount))
        let decoded = headers.reduce(0) { $0.addingSaturating($1.decodedBytes) }
        let isKept = plan.viewsAtOnce == nil || usesSecondPictures
        let whole = files.addingSaturating(decoders)
            .addingSaturating(isKept ? decoded : min(decoded, DecodedPictures.keptBytes))
        return whole.addingSaturating(viewBytes(headers, plan, upTo: plan.memoryBudget))
    }

    private func viewBytes(_ headers: [ImageHeader], _ plan: PerturbPlan, upTo enough: Int) -> Int {
        let stepBytes = views.map(\.content.stepBytes)
        let joined = joinedBytes(headers.map(\.size))
        var largest = 0
        var all = 0
        for (index, header) in headers.enumerated() where !pictures[index].isSecondOnly {
            for (view, stepBytes) in zip(views, stepBytes) where all <= enough {
                let size = view.content.largestOutput(for: header.size, seconds: []) { _ in nil }
                let bytes = size.pixelCount.multipliedSaturating(by: plan.bytesPerPixel)
                    .addingSaturating(stepBytes)
                all = all.addingSaturating(bytes.multipliedSaturating(by: settings.variants))
                // Decoded again, should its picture not be kept.
                largest = max(largest, bytes.addingSaturating(header.decodedBytes))
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
