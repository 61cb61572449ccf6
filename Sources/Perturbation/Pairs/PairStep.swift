package import Images
package import JSON

/// A step that reads a second picture.
package protocol PairStep: PerturbationStep {
    /// The picture of the request that the step reads.
    var image: PictureReference { get }

    /// Like `outputSize(for:)`, given the size of the second picture.
    func outputSize(for size: PixelSize, beside other: PixelSize) throws(StepError) -> PixelSize

    /// Like `demand(for:)`, given the size of the second picture.
    func demand(for size: PixelSize, beside other: PixelSize) -> WorkDemand

    /// Throws if `outputSize(for:beside:)` does, and if the result is no longer wanted.
    func apply(
        to image: PixelImage, beside other: PixelImage, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage
}

/// A reference to a picture of the same request, by its id or by its index in the request's list.
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
    /// Without a second picture, the step fits no picture.
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
    /// Applies the step with the picture that it names, if it reads a second one.
    ///
    /// - Parameter find: returns a picture of the request, or nil if it has none of this name. Not called for other
    ///   steps.
    package func apply(
        to image: PixelImage, _ watch: WorkWatch = WorkWatch(), among find: (PictureReference) -> PixelImage?
    ) throws(StepError) -> PixelImage {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return try apply(to: image, watch)
        }
        return try pair.apply(to: image, beside: other, watch)
    }

    /// Like `demand(for:)`, with the size of the picture that the step names, if it reads a second one.
    package func demand(for size: PixelSize, among find: (PictureReference) -> PixelSize?) -> WorkDemand {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return demand(for: size)
        }
        return pair.demand(for: size, beside: other)
    }

    /// Like `outputSize(for:)`, with the size of the picture that the step names, if it reads a second one.
    package func outputSize(
        for size: PixelSize, among find: (PictureReference) -> PixelSize?
    ) throws(StepError) -> PixelSize {
        guard let pair = self as? any PairStep, let other = find(pair.image) else {
            return try outputSize(for: size)
        }
        return try pair.outputSize(for: size, beside: other)
    }
}
