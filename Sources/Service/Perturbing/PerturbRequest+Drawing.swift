import Images
import Perturbation

extension PerturbRequest {
    /// Returns the steps of one view of one picture, as given or drawn.
    func steps(
        of content: Content, variant: Int, picture: Int, among sizes: [PixelSize], _ watch: WorkWatch
    ) throws(StepError) -> [any PerturbationStep] {
        switch content {
        case .steps(let steps): return steps
        case .recipe(let drawn):
            let size = sizes[picture]
            let seconds = drawn.seconds.compactMap(index(of:)).filter { $0 != picture }
            return try drawn.recipe.draw(
                seed: drawn.seed, key: ImageKey(id: pictures[picture].id), variant: variant,
                width: size.width, height: size.height, always: drawn.always, strength: drawn.strength,
                seconds: seconds.map { SecondPicture(id: pictures[$0].id, size: sizes[$0]) }, watch: watch)
        }
    }

    /// Whether a view may read another picture.
    var usesSecondPictures: Bool {
        views.contains { view in
            switch view.content {
            case .steps(let steps): steps.contains { $0 is any PairStep }
            case .recipe: !view.content.seconds.isEmpty
            }
        }
    }
}

extension PerturbRequest.Content {
    /// The pictures that a recipe may draw as the second one.
    fileprivate var seconds: [PictureReference] {
        switch self {
        case .steps: []
        case .recipe(let drawn): drawn.seconds + drawn.recipe.namedPictures
        }
    }
}
