import Images

/// Under which terms a perturbation request is answered.
struct PerturbTerms: Sendable {
    /// How the views travel.
    enum Form: Sendable {
        /// One view as it is.
        case image
        /// All in one text, as base64.
        case json
        case safetensors
        /// Parts that are made while those before are sent.
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
    /// Bytes of all requests in flight together.
    let memoryBudget: Int
    let form: Form
    /// Views that are made at once, at most.
    let workers: Int
    /// Views whose memory is claimed before any is made; that of each further one is claimed as it is made. Nil for all of
    /// them.
    let viewsClaimedAtFirst: Int?
}
