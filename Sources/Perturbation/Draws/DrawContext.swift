package import Images

/// The inputs of a draw in addition to its stream.
struct DrawContext {
    /// The size of the picture before the step.
    var size: PixelSize
    /// Rules out steps that change nothing.
    let always: Bool
    /// Whether a step was drawn that changes pictures of this size. Maintained only with `always`.
    var hasChange = false
    /// The factor of scheduled values, 0 … 1.
    let strength: Double
    /// The pictures that a step may read in addition to this one.
    let seconds: [SecondPicture]
    /// Ends drawing that is no longer wanted.
    var watch = WorkWatch()
}

/// A picture that a step may read in addition to the one it perturbs.
package struct SecondPicture: Sendable, Equatable {
    package let id: String
    package let size: PixelSize

    package init(id: String, size: PixelSize) {
        self.id = id
        self.size = size
    }
}
