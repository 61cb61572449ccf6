package import Images
package import JSON

/// One deterministic operation on a picture with every number explicit.
///
/// `json` is the step written out, `{"step": name, …}`; `init(parameters:)` of it gives the same step, and the same
/// step gives the same bytes on every machine.
package protocol PerturbationStep: Sendable {
    /// The word in `{"step": …}`.
    static var name: String { get }
    /// One sentence for people.
    static var summary: String { get }
    /// Every parameter with its range and default, in the order in which `json` writes them.
    static var parameters: [StepParameter] { get }
    /// The parameters with which the step changes no picture, in words; nil when there are none.
    static var identity: String? { get }
    /// When the result has another size than the picture, in words; nil for never.
    static var changesSize: String? { get }

    /// Reads `{"step": name, …}`; the `step` member may be left out here. Strict: unknown, repeated, missing,
    /// mistyped, non-finite and out-of-range parameters are errors.
    init(parameters: JSONValue) throws(StepError)

    /// `{"step": name, …}` with every parameter, defaults included.
    var json: JSONValue { get }

    /// False when some picture changes its size. A step that doesn't keep the size can't make a training view: the
    /// vision encoder would produce another number of image tokens.
    var keepsSize: Bool { get }

    /// The size of the result for a picture of this size; an error when the step doesn't fit it. Costs nothing
    /// per pixel, so that a batch can be checked, and its memory planned, before anything is decoded.
    func outputSize(for size: PixelSize) throws(StepError) -> PixelSize

    /// True only where every picture of this size stays as it is. A recipe asked for `always` draws such a step again.
    func leavesUnchanged(_ size: PixelSize) -> Bool

    /// What `apply` takes for a picture of this size; for one that the step doesn't fit, anything. There is no default, so
    /// that no step goes without: requests are admitted and scheduled by it. Costs nothing per pixel.
    func demand(for size: PixelSize) -> WorkDemand

    /// Errors when `outputSize(for: image.size)` does, and when nobody wants the result any more, which it asks `watch` all
    /// the time.
    func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage
}

extension PerturbationStep {
    package var name: String { Self.name }

    package static var changesSize: String? { nil }

    /// What a step that makes pictures larger may make of one.
    static var mostPixels: Int { 100_000_000 }

    package var keepsSize: Bool { true }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { false }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize { size }

    /// As `apply(to:_:)`, to the end.
    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        try apply(to: image, WorkWatch())
    }
}
