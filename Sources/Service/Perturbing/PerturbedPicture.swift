import Images
import JSON
import Parallelism
import Perturbation

/// One picture and its views as they are drawn: everything but the pixels.
struct PerturbedPicture: Sendable {
    struct View: Sendable {
        let name: String
        let variant: Int
        let steps: [any PerturbationStep]
        /// The result's.
        let size: PixelSize
    }

    /// In the request, which also has pictures that are only there for others to be mixed with.
    let index: Int
    let id: String
    let size: PixelSize
    let views: [View]
}

extension PerturbedPicture.View {
    /// The picture after all steps.
    /// - Parameter find: another picture of the request, for steps that read one.
    func applied(
        to picture: PixelImage, among find: (PictureReference) -> PixelImage?
    ) throws(StepError) -> PixelImage {
        var image = picture
        for step in steps { image = try step.apply(to: image, among: find) }
        return image
    }
}

extension PerturbRequest {
    /// Decodes every picture over all cores. One that fails fails the request; all that fail are named.
    /// - Parameters:
    ///   - viewsAtOnce: how many views are held at most; nil for all of them.
    ///   - isWanted: asked between pictures; false ends the work.
    /// - Returns: the pictures and their sizes with their orientation; nil when the work was ended.
    /// - Throws: `image-too-large`, `malformed-image`, `unsupported-image`; `memory-budget-exceeded` when the results
    ///   would not fit in `memoryBudget` bytes, which is known from headers and steps before anything is decoded.
    func decoded(
        limits: ImageLimits, memoryBudget: Int, viewsAtOnce: Int?, isWanted: @Sendable () -> Bool
    ) throws(Problem) -> (pictures: DecodedPictures, sizes: [PixelSize])? {
        var faults = Faults()
        var needed = 0
        var largestView = 0
        let stepBytes = views.map(\.content.stepBytes)
        var sizes: [PixelSize] = []
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                let header = try ImageHeader(probing: picture.bytes.span, limits: limits)
                needed = needed.addingSaturating(header.decodedBytes)
                if viewsAtOnce != nil, !usesSecondPictures {
                    needed = min(needed, DecodedPictures.keptBytes)
                }
                sizes.append(header.size)
                if picture.isSecondOnly { continue }
                for (view, stepBytes) in zip(views, stepBytes) where needed <= memoryBudget {
                    // Each view, and as much again for encoding.
                    let size = view.content.largestOutput(for: header.size, seconds: []) { _ in nil }
                    let bytes = size.pixelCount.multipliedSaturating(by: 6).addingSaturating(stepBytes)
                    guard viewsAtOnce == nil else {
                        // Decoded again, should it not be kept.
                        largestView = max(largestView, bytes.addingSaturating(header.decodedBytes))
                        continue
                    }
                    needed = needed.addingSaturating(bytes.multipliedSaturating(by: settings.variants))
                }
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
        let joined = joinedBytes(sizes)
        if let viewsAtOnce {
            largestView = largestView.addingSaturating(joined.max() ?? 0)
            needed = needed.addingSaturating(largestView.multipliedSaturating(by: viewsAtOnce))
        } else {
            needed = joined.reduce(needed) {
                $0.addingSaturating($1.multipliedSaturating(by: settings.variants))
            }
        }
        guard needed <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "the views of this request need too much memory; send fewer pictures, views or variants at once",
                    field: "images", expected: "at most \(memoryBudget) bytes",
                    found: "at least \(needed) bytes"),
                limit: memoryBudget)
        }

        let decoded = DecodedPictures(
            pictures, viewsOfEach: usesSecondPictures ? .max : views.count * settings.variants,
            options: settings.decoding, limits: limits)
        let results = mapInParallel(pictures.count, operations: .max) {
            index -> Result<PixelSize?, ImageError> in
            guard isWanted() else { return .success(nil) }
            do throws(ImageError) {
                return .success(try decoded.check(index))
            } catch {
                return .failure(error)
            }
        }
        // Now with their orientation.
        sizes = []
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let size): if let size { sizes.append(size) }
            case .failure(let error):
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        try faults.check()
        return sizes.count == pictures.count ? (decoded, sizes) : nil
    }

    /// Draws every view's steps.
    /// - Throws: `invalid-step` for steps that don't fit a picture, and what no file of the encoding can hold.
    func drawn(for sizes: [PixelSize], _ encoding: ImageEncoding) throws(Problem) -> [PerturbedPicture] {
        var faults = Faults()
        var drawn: [PerturbedPicture] = []
        for (index, size) in sizes.enumerated() where !pictures[index].isSecondOnly {
            var views: [PerturbedPicture.View] = []
            for place in 0..<(self.views.count * settings.variants) {
                do throws(StepFailure) {
                    let view = try self.drawn(
                        self.views[place / settings.variants], variant: place % settings.variants,
                        ofPicture: index,
                        among: sizes)
                    views.append(view)
                    if let error = encoding.flaw(for: view.size) {
                        faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
                    }
                } catch {
                    let part = error.step.map { "steps[\($0)]" } ?? "recipe"
                    let field = "views[\(place / settings.variants)].\(part)"
                    var reason = Problem.Reason(error.error, field: field)
                    reason.index = [index]
                    faults.add(.invalidStep, reason)
                }
            }
            drawn.append(
                PerturbedPicture(index: index, id: pictures[index].id, size: size, views: views))
        }
        try faults.check()
        return drawn
    }

    struct StepFailure: Error {
        /// nil when it couldn't be drawn.
        let step: Int?
        let error: StepError
    }

    /// Draws the steps of one view of one picture.
    func drawn(
        _ view: View, variant: Int, ofPicture picture: Int, among sizes: [PixelSize]
    ) throws(StepFailure) -> PerturbedPicture.View {
        let steps: [any PerturbationStep]
        do throws(StepError) {
            steps = try self.steps(of: view.content, variant: variant, picture: picture, among: sizes)
        } catch {
            throw StepFailure(step: nil, error: error)
        }
        var result = sizes[picture]
        for (position, step) in steps.enumerated() {
            do throws(StepError) {
                result = try step.outputSize(for: result) { self.index(of: $0).map { sizes[$0] } }
            } catch {
                throw StepFailure(step: position, error: error)
            }
        }
        return PerturbedPicture.View(name: view.name, variant: variant, steps: steps, size: result)
    }
}

extension PerturbRequest.Content {
    /// About what the steps of one view take, with their text in the reply.
    var stepBytes: Int {
        switch self {
        case .recipe(let drawn): drawn.recipe.stepBytes
        case .steps(let steps): 512 + 2 * JSONValue.array(steps.map(\.json)).text.utf8.count
        }
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

extension Int {
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
