import HTTP
import Images
import JSON
import Perturbation

/// A picture and its drawn views: everything except the pixels.
struct PerturbedPicture: Sendable {
    struct DrawnView: Sendable {
        let name: String
        let variant: Int
        let steps: [any PerturbationStep]
        /// The size of the result.
        let size: PixelSize
    }

    /// The index in the request, which also counts pictures that only serve as second pictures.
    let index: Int
    let id: String
    let size: PixelSize
    let views: [DrawnView]
}

extension PerturbedPicture.DrawnView {
    /// Returns the picture after all steps.
    /// - Parameter find: returns another picture of the request, for steps that read one.
    func applied(
        to picture: PixelImage, _ watch: WorkWatch, among find: (PictureReference) -> PixelImage?
    ) throws(StepError) -> PixelImage {
        var image = picture
        for step in steps { image = try step.apply(to: image, watch, among: find) }
        return image
    }

    /// Returns the demand of all steps in addition to a picture of this size.
    func demand(for picture: PixelSize, among find: (PictureReference) -> PixelSize?) -> WorkDemand {
        var (work, size) = (WorkDemand.nothing, picture)
        for step in steps {
            work = work.followed(by: step.demand(for: size, among: find))
            size = (try? step.outputSize(for: size, among: find)) ?? size
        }
        return work
    }
}

extension PerturbRequest {
    /// Decodes every picture, over all cores. If any fails the request fails, and the error names all that failed.
    /// - Throws: `image-too-large`, `malformed-image`, `unsupported-image`.
    func decoded(
        _ limits: ImageLimits, _ plan: PerturbPlan, _ scope: RequestScope
    ) throws(Problem) -> DecodedPictures {
        let decoded = DecodedPictures(
            pictures, plan.pictures, viewsOfEach: usesSecondPictures ? .max : views.count * settings.variants,
            options: settings.decoding, limits: limits)
        let results = mapInOrder(pictures.count, workers: plan.workers) {
            index -> Result<PixelSize, ImageError> in
            do throws(ImageError) {
                return .success(try decoded.check(index, WorkWatch { scope.isWanted }))
            } catch {
                return .failure(error)
            }
        }
        var faults = Faults()
        for (index, result) in results.enumerated() {
            guard case .failure(let error) = result else { continue }
            if error == .unwanted { throw .unheard }
            faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
        }
        try faults.check()
        return decoded
    }

    /// Draws every view's steps.
    /// - Throws: `invalid-step` for steps that do not fit a picture; an error for results that the encoding cannot
    ///   hold; `unheard` if the watch ends the work.
    func drawn(
        for sizes: [PixelSize], _ encoding: ImageEncoding, _ watch: WorkWatch
    ) throws(Problem) -> [PerturbedPicture] {
        var faults = Faults()
        var drawn: [PerturbedPicture] = []
        for (index, size) in sizes.enumerated() where !pictures[index].isSecondOnly {
            var views: [PerturbedPicture.DrawnView] = []
            for place in 0..<(self.views.count * settings.variants) {
                do throws(StepFailure) {
                    let view = try self.drawn(
                        self.views[place / settings.variants], variant: place % settings.variants,
                        ofPicture: index, among: sizes, watch)
                    views.append(view)
                    if let error = encoding.flaw(for: view.size) {
                        faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
                    }
                } catch {
                    if error.error == .unwanted { throw .unheard }
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

    /// Returns the path of a picture in the request, for errors.
    func field(ofPicture index: Int) -> String {
        switch form {
        case nil: "body"
        case .tensors: pictures[index].id
        case .embedded, .files: "images[\(index)]"
        }
    }

    struct StepFailure: Error {
        /// Nil if the view could not be drawn.
        let step: Int?
        let error: StepError
    }

    /// Draws the steps of one view of one picture.
    func drawn(
        _ view: PerturbRequest.RequestedView, variant: Int, ofPicture picture: Int, among sizes: [PixelSize],
        _ watch: WorkWatch
    ) throws(StepFailure) -> PerturbedPicture.DrawnView {
        let steps: [any PerturbationStep]
        do throws(StepError) {
            steps = try self.steps(
                of: view.content, variant: variant, picture: picture, among: sizes, watch)
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
        return PerturbedPicture.DrawnView(name: view.name, variant: variant, steps: steps, size: result)
    }
}

extension PerturbRequest.Content {
    /// The approximate bytes of the steps of one view, with their text in the reply.
    var stepBytes: Int {
        switch self {
        case .recipe(let drawn): drawn.recipe.stepBytes
        case .steps(let steps): 512 + 2 * JSONValue.array(steps.map(\.json)).text.utf8.count
        }
    }
}
