import HTTP
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
    /// - Parameter scope: claims what all this takes, which is known from headers and steps before anything is decoded.
    /// - Returns: the pictures and their sizes with their orientation.
    /// - Throws: `image-too-large`, `malformed-image`, `unsupported-image`; `memory-budget-exceeded` and `busy` when the
    ///   results do not fit in the budget, or not now.
    func decoded(
        _ plan: PerturbPlan, _ scope: RequestScope
    ) throws(Problem) -> (pictures: DecodedPictures, sizes: [PixelSize]) {
        let needed = neededBytes(try claims(plan.limits), plan)
        guard needed <= plan.memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "the views of this request need too much memory; send fewer pictures, views or variants at once",
                    field: form == nil ? "body" : "images", expected: "at most \(plan.memoryBudget) bytes",
                    found: "at least \(needed) bytes"),
                limit: plan.memoryBudget)
        }
        try scope.take(needed)

        let decoded = DecodedPictures(
            pictures, viewsOfEach: usesSecondPictures ? .max : views.count * settings.variants,
            options: settings.decoding, limits: plan.limits)
        let results = mapInParallel(pictures.count, operations: .max) {
            index -> Result<PixelSize?, ImageError> in
            guard scope.isWanted else { return .success(nil) }
            do throws(ImageError) {
                return .success(try decoded.check(index))
            } catch {
                return .failure(error)
            }
        }
        // Now with their orientation.
        var sizes: [PixelSize] = []
        var faults = Faults()
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let size?): sizes.append(size)
            case .success(nil): throw .unheard
            case .failure(let error):
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
            }
        }
        try faults.check()
        return (decoded, sizes)
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
                        faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
                    }
                } catch {
                    let part = error.step.map { "steps[\($0)]" } ?? "recipe"
                    let view = form == nil ? "" : "views[\(place / settings.variants)]."
                    var reason = Problem.Reason(error.error, field: view + part)
                    if form != nil { reason.index = [index] }
                    faults.add(.invalidStep, reason)
                }
            }
            drawn.append(
                PerturbedPicture(index: index, id: pictures[index].id, size: size, views: views))
        }
        try faults.check()
        return drawn
    }

    /// Where a picture stands in the request, for errors.
    func field(ofPicture index: Int) -> String {
        switch form {
        case nil: "body"
        case .tensors: pictures[index].id
        case .embedded, .files: "images[\(index)]"
        }
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
