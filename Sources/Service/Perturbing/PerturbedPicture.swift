import Images
import JSON
import Parallelism
import Perturbation

/// One decoded picture and its views, not yet encoded.
struct PerturbedPicture: Sendable {
    struct View: Sendable {
        let name: String
        let variant: Int
        let steps: [any PerturbationStep]
        let image: PixelImage
    }

    let id: String
    let size: PixelSize
    let views: [View]
}

extension PerturbRequest {
    /// Decodes every picture, once, over all cores. One that fails fails the request; all that fail are named.
    /// - Throws: `image-too-large`, `malformed-image`, `unsupported-image`; `memory-budget-exceeded` when the results
    ///   would not fit in `memoryBudget` bytes, which is known from headers and steps before anything is decoded.
    func decoded(limits: ImageLimits, memoryBudget: Int) throws(Problem) -> [PixelImage] {
        var faults = Faults()
        var needed = 0
        let stepBytes = views.map(\.content.stepBytes)
        var sizes: [PixelSize] = []
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                let header = try ImageHeader(probing: picture.bytes.span, limits: limits)
                needed = needed.addingSaturating(header.decodedBytes)
                sizes.append(header.size)
                if picture.isSecondOnly { continue }
                for (view, stepBytes) in zip(views, stepBytes) where needed <= memoryBudget {
                    // Each view, and as much again for encoding.
                    let size = view.content.largestOutput(for: header.size, seconds: []) { _ in nil }
                    let bytes = size.pixelCount.multipliedSaturating(by: 6).addingSaturating(stepBytes)
                    needed = needed.addingSaturating(bytes.multipliedSaturating(by: settings.variants))
                }
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
        needed = needed.addingSaturating(joinedBytes(sizes))
        guard needed <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "the views of this request need too much memory; send fewer pictures, views or variants at once",
                    field: "images", expected: "at most \(memoryBudget) bytes",
                    found: "at least \(needed) bytes"),
                limit: memoryBudget)
        }

        let options = settings.decoding
        let results = mapInParallel(pictures.count, operations: .max) {
            index -> Result<PixelImage, ImageError> in
            let bytes = pictures[index].bytes
            do throws(ImageError) {
                return .success(try PixelImage(decoding: bytes.span, options: options, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        var images: [PixelImage] = []
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let image): images.append(image)
            case .failure(let error):
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        try faults.check()
        return images
    }

    /// Draws and applies every view's steps, over all cores.
    /// - Throws: `invalid-step` for steps that don't fit a picture.
    func perturbed(_ images: [PixelImage]) throws(Problem) -> [PerturbedPicture] {
        let perPicture = views.count * settings.variants
        let results = mapInParallel(images.count * perPicture, operations: .max) { task in
            let picture = task / perPicture
            return pictures[picture].isSecondOnly
                ? nil : view(task % perPicture, ofPicture: picture, among: images)
        }
        var faults = Faults()
        var perturbed: [PerturbedPicture] = []
        for (index, image) in images.enumerated() where !pictures[index].isSecondOnly {
            var made: [PerturbedPicture.View] = []
            for (offset, result) in results[index * perPicture..<(index + 1) * perPicture].enumerated() {
                switch result {
                case nil: break
                case .success(let view): made.append(view)
                case .failure(let failure):
                    let part = failure.step.map { "steps[\($0)]" } ?? "recipe"
                    let field = "views[\(offset / settings.variants)].\(part)"
                    var reason = Problem.Reason(failure.error, field: field)
                    reason.index = [index]
                    faults.add(.invalidStep, reason)
                }
            }
            perturbed.append(PerturbedPicture(id: pictures[index].id, size: image.size, views: made))
        }
        try faults.check()
        return perturbed
    }

    struct StepFailure: Error {
        /// nil when it couldn't be drawn.
        let step: Int?
        let error: StepError
    }

    /// View number `index` counts the variants of each view together.
    private func view(_ index: Int, ofPicture picture: Int, among images: [PixelImage]) -> Result<
        PerturbedPicture.View, StepFailure
    > {
        made(
            views[index / settings.variants], variant: index % settings.variants, ofPicture: picture,
            among: images)
    }

    /// Draws the steps of one view of one picture and applies them.
    func made(
        _ view: View, variant: Int, ofPicture picture: Int, among images: [PixelImage]
    ) -> Result<PerturbedPicture.View, StepFailure> {
        let image = images[picture]
        let steps: [any PerturbationStep]
        do throws(StepError) {
            steps = try self.steps(of: view.content, variant: variant, picture: picture, among: images)
        } catch {
            return .failure(StepFailure(step: nil, error: error))
        }
        var result = image
        for (position, step) in steps.enumerated() {
            do throws(StepError) {
                result = try step.apply(to: result) { self.index(of: $0).map { images[$0] } }
            } catch {
                return .failure(StepFailure(step: position, error: error))
            }
        }
        return .success(PerturbedPicture.View(name: view.name, variant: variant, steps: steps, image: result))
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
