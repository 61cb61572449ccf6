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
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                let header = try ImageHeader(probing: picture.bytes.span, limits: limits)
                needed = needed.addingSaturating(header.decodedBytes)
                for (view, stepBytes) in zip(views, stepBytes) where needed <= memoryBudget {
                    // Each view, and as much again for encoding.
                    let pixels = view.content.outputSize(for: header.size).pixelCount
                    let bytes = pixels.multipliedSaturating(by: 6).addingSaturating(stepBytes)
                    needed = needed.addingSaturating(bytes.multipliedSaturating(by: settings.variants))
                }
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: "images[\(index)]"))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
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
            return view(task % perPicture, of: images[picture], id: pictures[picture].id)
        }
        var faults = Faults()
        var perturbed: [PerturbedPicture] = []
        for (index, image) in images.enumerated() {
            var made: [PerturbedPicture.View] = []
            for (offset, result) in results[index * perPicture..<(index + 1) * perPicture].enumerated() {
                switch result {
                case .success(let view): made.append(view)
                case .failure(let failure):
                    let field = "views[\(offset / settings.variants)].steps[\(failure.step)]"
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

    private struct StepFailure: Error {
        let step: Int
        let error: StepError
    }

    /// View number `index` counts the variants of each view together.
    private func view(_ index: Int, of image: PixelImage, id: String) -> Result<
        PerturbedPicture.View, StepFailure
    > {
        let view = views[index / settings.variants]
        let variant = index % settings.variants
        let steps: [any PerturbationStep] =
            switch view.content {
            case .steps(let steps): steps
            case .recipe(let recipe, let seed, let always):
                recipe.draw(
                    seed: seed, key: ImageKey(id: id), variant: variant, width: image.width,
                    height: image.height,
                    always: always)
            }
        var result = image
        for (position, step) in steps.enumerated() {
            do throws(StepError) {
                result = try step.apply(to: result)
            } catch {
                return .failure(StepFailure(step: position, error: error))
            }
        }
        return .success(PerturbedPicture.View(name: view.name, variant: variant, steps: steps, image: result))
    }
}

extension PerturbRequest.Content {
    /// About what the steps of one view take, with their text in the reply.
    fileprivate var stepBytes: Int {
        switch self {
        // Fifty patches at most.
        case .recipe: 4096
        case .steps(let steps): 512 + 2 * JSONValue.array(steps.map(\.json)).text.utf8.count
        }
    }

    /// The result's size for a picture of this one; a recipe keeps it. A step that doesn't fit counts as keeping it: it
    /// is told of when it is applied, or fits once the picture has its orientation.
    fileprivate func outputSize(for size: PixelSize) -> PixelSize {
        guard case .steps(let steps) = self else { return size }
        return steps.reduce(size) { (try? $1.outputSize(for: $0)) ?? $0 }
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
    fileprivate func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
