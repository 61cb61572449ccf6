import ContrastiveLoss

/// Which tensors an operation takes: the one source of their names, shapes and element types.
struct TensorSchema: Sendable {
    let tensors: [TensorSpec]
    /// Whether requests may carry their tokens' texts.
    var takesTexts = false

    static let score = TensorSchema(
        tensors: View.allCases.map { .logProbabilities($0) } + View.allCases.map { .logits($0) }
            + [.interleavedLogits] + View.allCases.map { .entropy($0) } + View.allCases.map { .best($0) }
            + [.oldLogProbabilities, .referenceLogProbabilities, .perceptionMask, .tokenIDs, .responseMask]
            + selection, takesTexts: true)
    static let mask = TensorSchema(
        tensors: [
            .entropy(.original), .entropy(.removing), .logProbabilities(.original),
            .logProbabilities(.removing), .best(.original), .best(.removing), .oldLogProbabilities,
            .perceptionMask, .tokenIDs, .responseMask,
        ] + selection)
    static let entropy = TensorSchema(
        tensors: [.logits] + View.allCases.map { .logits($0) } + [.best] + View.allCases.map { .best($0) }
            + View.allCases.map { .logProbabilities($0) } + [.tokenIDs, .offsets])
    static let advantages = TensorSchema(tensors: [.rewards, .groupIDs])

    private static let selection: [TensorSpec] = [.hasViews, .advantages, .rewards, .groupIDs, .offsets]

    /// By name, in safetensors.
    subscript(name: String) -> TensorSpec? { tensors.first { $0.name == name } }

    /// The tensors of a columnar JSON body.
    var columns: [TensorSpec] { tensors.filter(\.isInJSON) }

    /// The tensor that a member of a rollout object is; dots in the name are nested objects.
    func rolloutMember(_ name: String) -> TensorSpec? { tensors.first { $0.rolloutName == name } }

    /// Names that a rollout object may hold.
    var rolloutNames: [String] { tensors.compactMap(\.rolloutName) }

    /// Whether a view of a rollout may be an engine's reply, and which view's name that is.
    func repliedView(_ name: String) -> View? {
        View(rawValue: name).flatMap { tensors.contains(.best($0)) ? $0 : nil }
    }

    /// Whether a rollout may give one advantage for all its tokens.
    var takesAdvantages: Bool { tensors.contains(.advantages) }

    /// Whether a member of a rollout object is an object of tensors: a view, say.
    func isGroup(_ name: String) -> Bool { rolloutNames.contains { $0.hasPrefix("\(name).") } }

    /// Tensors with an entry for each token; the first that is given says how many there are.
    var guides: [TensorSpec] { tensors.filter { $0.extent.paddedRank != nil } }
}
