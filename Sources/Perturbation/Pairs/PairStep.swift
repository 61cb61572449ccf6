package import Images
package import JSON

/// A step that reads a second picture.
package protocol PairStep: PerturbationStep {
    /// Which picture of the request it reads.
    var image: PictureReference { get }

    /// As `outputSize(for:)`, given the second picture's size.
    func outputSize(for size: PixelSize, beside other: PixelSize) throws(StepError) -> PixelSize

    /// As `demand(for:)`, given the second picture's size.
    func demand(for size: PixelSize, beside other: PixelSize) -> WorkDemand

    /// Errors when `outputSize(for:beside:)` does, and when nobody wants the result any more.
    func apply(
        to image: PixelImage, beside other: PixelImage, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage
}

/// A picture of the same request: by its id, or by its place in the request's list.
package enum PictureReference: Sendable, Equatable {
    case id(String)
    case index(Int)

    package var json: JSONValue {
        switch self {
        case .id(let id): .string(id)
        case .index(let index): .integer(Int64(index))
        }
    }
}

extension PairStep {
    /// Alone, the step fits no picture.
    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize { throw alone }

    package func demand(for size: PixelSize) -> WorkDemand { .nothing }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        throw alone
    }

    private var alone: StepError {
        .doesNotFit(step: Self.name, path: "image", detail: "there is no picture \(image.json.text) to read")
    }
}

extension PerturbationStep {
    /// Applies the step, with the picture it names when it reads a second one.
    ///
    /// - Parameter find: a picture of the request, or nil when there is none of this name; not asked by other steps.
    package func apply(
        to image: PixelImage, _ watch: WorkWatch = WorkWatch(), among find: (PictureReference) -> PixelImage?
    ) throws(StepError) -> PixelImage {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return try apply(to: image, watch)
        }
        return try pair.apply(to: image, beside: other, watch)
    }

    /// As `demand(for:)`, with the size of the picture that the step names when it reads a second one.
    package func demand(for size: PixelSize, among find: (PictureReference) -> PixelSize?) -> WorkDemand {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return demand(for: size)
        }
        return pair.demand(for: size, beside: other)
    }

    /// As `outputSize(for:)`, with the size of the picture that the step names when it reads a second one.
    package func outputSize(
        for size: PixelSize, among find: (PictureReference) -> PixelSize?
    ) throws(StepError) -> PixelSize {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return try outputSize(for: size)
        }
        return try pair.outputSize(for: size, beside: other)
    }
}
