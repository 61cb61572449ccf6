package import Images
package import JSON

/// A deterministic operation on a picture, with every number explicit.
///
/// `json` is the complete step, `{"step": name, …}`. `init(parameters:)` restores the same step from it. The same step
/// produces the same bytes on every machine.
package protocol PerturbationStep: Sendable {
    /// The word in `{"step": …}`.
    static var name: String { get }
    /// One sentence for people.
    static var summary: String { get }
    /// Every parameter with its range and default, in the order in which `json` writes them.
    static var parameters: [StepParameter] { get }
    /// The parameters with which the step changes no picture, in words; nil if there are none.
    static var identity: String? { get }
    /// The condition under which the result has another size than the picture, in words; nil for never.
    static var changesSize: String? { get }

    /// Reads `{"step": name, …}`. The member `step` may be omitted here. Unknown, repeated, missing, mistyped,
    /// non-finite and out-of-range parameters are errors.
    init(parameters: JSONValue) throws(StepError)

    /// `{"step": name, …}` with every parameter, defaults included.
    var json: JSONValue { get }

    /// False if the step changes the size of some pictures. Such a step cannot make a training view, because the vision
    /// encoder would produce another number of image tokens.
    var keepsSize: Bool { get }

    /// Returns the size of the result for a picture of this size. Throws if the step does not fit it. The cost does not
    /// depend on the number of pixels, so a batch can be checked and planned before anything is decoded.
    func outputSize(for size: PixelSize) throws(StepError) -> PixelSize

    /// Returns true only if every picture of this size stays unchanged. With `always`, a recipe draws such a step
    /// again.
    func leavesUnchanged(_ size: PixelSize) -> Bool

    /// Returns the demand of `apply` for a picture of this size, or any value if the step does not fit it. Requests are
    /// admitted and scheduled by this demand, so there is no default implementation. The cost does not depend on the
    /// number of pixels.
    func demand(for size: PixelSize) -> WorkDemand

    /// Throws if `outputSize(for: image.size)` does, and if the result is no longer wanted, which it checks with
    /// `watch` continually.
    func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage
}

extension PerturbationStep {
    package var name: String { Self.name }

    package static var changesSize: String? { nil }

    /// The largest result of a step that enlarges pictures.
    static var mostPixels: Int { 100_000_000 }

    package var keepsSize: Bool { true }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { false }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize { size }

    /// Like `apply(to:_:)`, without a watch.
    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        try apply(to: image, WorkWatch())
    }
}
