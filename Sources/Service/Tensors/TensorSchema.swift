import ContrastiveLoss

/// The tensors that an operation accepts: the one source of their names, shapes and element types.
struct TensorSchema: Sendable {
    let tensors: [TensorSpec]
    /// A Boolean value indicating whether requests may carry the texts of their tokens.
    let acceptsTexts: Bool
    /// The names that a rollout object may have.
    let rolloutNames: [String]
    /// The tensors with an entry for each token. The first one that is given determines the number of tokens.
    let guides: [TensorSpec]
    // Looked up for every member of every rollout.
    private let byName: [String: TensorSpec]
    private let byRolloutName: [String: TensorSpec]
    private let groups: Set<String>

    init(tensors: [TensorSpec], acceptsTexts: Bool = false) {
        self.tensors = tensors
        self.acceptsTexts = acceptsTexts
        rolloutNames = tensors.compactMap(\.rolloutName)
        guides = tensors.filter { $0.extent.paddedRank != nil }
        byName = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
        byRolloutName = Dictionary(tensors.compactMap { spec in spec.rolloutName.map { ($0, spec) } }) {
            first, _ in first
        }
        groups = Set(rolloutNames.compactMap { name in name.firstIndex(of: ".").map { String(name[..<$0]) } })
    }

    static let score = TensorSchema(
        tensors: View.allCases.map { .logProbabilities($0) } + View.allCases.map { .logits($0) }
            + [.interleavedLogits] + View.allCases.map { .entropy($0) } + View.allCases.map { .best($0) }
            + [.oldLogProbabilities, .referenceLogProbabilities, .perceptionMask, .tokenIDs, .responseMask]
            + selection, acceptsTexts: true)
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

    /// Returns the tensor with this name in safetensors.
    subscript(name: String) -> TensorSpec? { byName[name] }

    /// The tensors of a columnar JSON body.
    var columns: [TensorSpec] { tensors.filter(\.isInJSON) }

    /// Returns the tensor for a member of a rollout object. Dots in the name are nested objects.
    func rolloutMember(_ name: String) -> TensorSpec? { byRolloutName[name] }

    /// Returns the view of this name, if a rollout may give an engine's reply for it.
    func repliedView(_ name: String) -> View? {
        View(rawValue: name).flatMap { byName[TensorSpec.best($0).name] != nil ? $0 : nil }
    }

    /// A Boolean value indicating whether a rollout may give one advantage for all its tokens.
    var acceptsAdvantages: Bool { byName[TensorSpec.advantages.name] != nil }

    /// Returns whether a member of a rollout object is an object of tensors, such as a view.
    func isGroup(_ name: String) -> Bool { groups.contains(name) }
}
