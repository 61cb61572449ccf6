import Images
import Perturbation

extension PerturbRequest {
    /// The steps of one view of one picture: as given, or drawn.
    func steps(
        of content: Content, variant: Int, picture: Int, among sizes: [PixelSize]
    ) throws(StepError) -> [any PerturbationStep] {
        switch content {
        case .steps(let steps): return steps
        case .recipe(let drawn):
            let size = sizes[picture]
            let seconds = drawn.seconds.compactMap(index(of:)).filter { $0 != picture }
            return try drawn.recipe.draw(
                seed: drawn.seed, key: ImageKey(id: pictures[picture].id), variant: variant,
                width: size.width, height: size.height, always: drawn.always, strength: drawn.strength,
                seconds: seconds.map { SecondPicture(id: pictures[$0].id, size: sizes[$0]) })
        }
    }

    /// Whether a view may read a picture beside its own.
    var usesSecondPictures: Bool {
        views.contains { view in
            switch view.content {
            case .steps(let steps): steps.contains { $0 is any PairStep }
            case .recipe: !view.content.seconds.isEmpty
            }
        }
    }

    /// What second pictures may add to each result, with as much again for encoding.
    func joinedBytes(_ sizes: [PixelSize]) -> [Int] {
        let places = pictures.indices.filter { !pictures[$0].isSecondOnly }
        return views.flatMap { view in
            places.map { place -> Int in
                let size = sizes[place]
                let alone = view.content.largestOutput(for: size, seconds: [], sizeOf: { _ in nil })
                let seconds = view.content.seconds.compactMap(index(of:)).map { sizes[$0] }
                let joined = view.content.largestOutput(for: size, seconds: seconds) { reference in
                    index(of: reference).map { sizes[$0] }
                }
                return max(0, joined.pixelCount - alone.pixelCount).multipliedSaturating(by: 6)
            }
        }
    }
}

extension PerturbRequest.Content {
    /// The pictures that a recipe may draw as second one.
    fileprivate var seconds: [PictureReference] {
        switch self {
        case .steps: []
        case .recipe(let drawn): drawn.seconds + drawn.recipe.namedPictures
        }
    }

    /// A result's size for a picture of this one: exact for steps, at most for a recipe. A step that doesn't fit counts
    /// as keeping the size: it is told of when it is applied, or fits once the picture has its orientation.
    func largestOutput(
        for size: PixelSize, seconds: [PixelSize], sizeOf find: (PictureReference) -> PixelSize?
    ) -> PixelSize {
        switch self {
        case .recipe(let drawn): drawn.recipe.largestOutput(for: size, seconds: seconds)
        case .steps(let steps): steps.reduce(size) { (try? $1.outputSize(for: $0, among: find)) ?? $0 }
        }
    }
}
