import Images

/// The terms under which the server answers a perturbation request.
struct PerturbTerms: Sendable {
    /// The form in which views are sent.
    enum Form: Sendable {
        /// A single view as a file.
        case image
        /// All views in one text, as base64.
        case json
        case safetensors
        /// Parts, each made while earlier ones are sent.
        case multipart

        init(_ type: MediaType) {
            self =
                switch type {
                case .json: .json
                case .safetensors: .safetensors
                case .mixed: .multipart
                case .bytes, .form, .png, .jpeg: .image
                }
        }
    }

    let limits: ImageLimits
    /// The memory budget of all requests in flight together, in bytes.
    let memoryBudget: Int
    let form: Form
    /// The largest number of views made at once.
    let workers: Int
    /// The number of views to claim memory for before any is made. Memory for each further one is claimed when it is
    /// made. Nil for all.
    let viewsClaimedAtFirst: Int?
}
