import Images

/// What a perturbation request may take, and how much of it is held at a time.
struct PerturbPlan: Sendable {
    let limits: ImageLimits
    /// Bytes of all requests in flight together.
    let memoryBudget: Int
    /// How many views are held at most; nil for all of them.
    let viewsAtOnce: Int?
    /// What a view takes with its encoded form, for each of its pixels.
    let bytesPerPixel: Int
}
