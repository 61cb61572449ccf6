package import Images

/// What a draw depends on besides its stream.
struct DrawContext {
    /// Of the picture as the step finds it.
    var size: PixelSize
    /// Rules out steps that change nothing.
    let always: Bool
    /// Whether a step that changes pictures of the size it finds was drawn; told of with `always` only.
    var hasChange = false
    /// 0 … 1, what scheduled values are multiplied by.
    let strength: Double
    /// Those a step may read beside this one.
    let seconds: [SecondPicture]
}

/// A picture that a step may read beside the one it perturbs.
package struct SecondPicture: Sendable, Equatable {
    package let id: String
    package let size: PixelSize

    package init(id: String, size: PixelSize) {
        self.id = id
        self.size = size
    }
}
