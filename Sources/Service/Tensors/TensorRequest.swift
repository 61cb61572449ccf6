import ContrastiveLoss
import EngineReplies
import JSON
import Tensor

/// A decoded request for numbers: named tensors, options, and the form that the reply mirrors.
struct TensorRequest: Sendable {
    enum Form: Sendable {
        /// One JSON object for each sequence; ids are echoed. Tensors of tokens are flat, sequences by length.
        case rollouts(ids: [JSONValue?], lengths: [Int])
        /// JSON members with the tensors' names.
        case columnar
        case safetensors
    }

    let form: Form
    /// The tensors by name. While a request arrives, and after data were reduced as they arrived, some of them are
    /// outlines.
    var tensors: [String: DenseTensor]
    /// The results for logits that were reduced, by name.
    var reduced: [String: ReducedLogits] = [:]
    /// Equal numbers mean the same group. They are kept apart from the tensors because the names of groups may be
    /// strings.
    var groupIDs: [Int]?
    var options: [JSONValue.Member]
    /// The bounds of the lists of ragged tensors, [N + 1]. Those tensors are flat.
    var raggedOffsets: [String: [Int]] = [:]
    /// Engines' replies by view, one for each rollout; nil for rollouts without views that have none.
    var replies: [View: [EngineReply?]] = [:]
    /// The texts of the tokens; nil if none are given.
    var texts: GivenTexts?
}

extension TensorRequest {
    /// Returns the name of a tensor of sequences in this request, for errors that concern all of it.
    func place(of spec: TensorSpec) -> String {
        if case .rollouts = form, let name = spec.rolloutName { return "rollouts[0].\(name)" }
        return spec.name
    }

    /// Returns a tensor of an element type that its spec accepts. A tensor of another type is a fault.
    /// - Returns: nil if the tensor is absent or of another type.
    func tensor(_ spec: TensorSpec, _ faults: inout Faults) -> DenseTensor? {
        guard let tensor = tensors[spec.name] else { return nil }
        guard spec.elements.accepts(tensor) else {
            faults.add(.invalidElementType, .elementType(spec, tensor))
            return nil
        }
        return tensor
    }

    /// Creates a request from what has arrived of it.
    /// - Throws: 400 for tensors that the operation does not accept, and for options that are not a JSON object.
    init(
        safetensors layout: SafetensorsLayout, schema: TensorSchema, tensors: [String: DenseTensor],
        reduced: [String: ReducedLogits]
    ) throws(Problem) {
        var faults = Faults()
        for entry in layout.entries where schema[entry.name] == nil {
            faults.add(.unknownField, .unknown("tensor", entry.name, known: schema.tensors.map(\.name)))
        }
        try faults.check()
        var options: [JSONValue.Member] = []
        if let text = layout.metadata["options"] {
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONValue(parsing: text)
            } catch {
                throw Problem(error, field: "__metadata__.options")
            }
            guard let members = value.members else {
                throw Problem(
                    .invalidType,
                    Problem.Reason("wrong type", field: "__metadata__.options", expected: "a JSON object"))
            }
            options = members
        }
        var groups: [Int]?
        let spec = TensorSpec.groupIDs
        if let tensor = tensors[spec.name] {
            // Integers of one byte are widened to eight, so their number is limited before.
            guard tensor.shape.count == 1, tensor.count <= mostSequences else {
                throw Problem(
                    .invalidShape,
                    Problem.Reason(
                        "wrong shape", field: spec.name, expected: "[B] with B ≤ \(mostSequences)",
                        found: "\(tensor.shape)"))
            }
            guard spec.elements.accepts(tensor), let ids = tensor.isOutline ? [] : tensor.integers() else {
                throw Problem(.invalidElementType, .elementType(spec, tensor))
            }
            groups = ids
        }
        self.init(
            form: .safetensors, tensors: tensors, reduced: reduced, groupIDs: groups, options: options)
        if schema.acceptsTexts { texts = layout.metadata["tokens"].map(GivenTexts.metadata) }
    }
}

/// The most sequences of a batch with groups.
private let mostSequences = 1 << 20

extension Problem.Reason {
    static func elementType(_ spec: TensorSpec, _ tensor: DenseTensor) -> Problem.Reason {
        Problem.Reason(
            "wrong element type", field: spec.name, expected: spec.elements.words,
            found: tensor.elementType.rawValue)
    }
}
