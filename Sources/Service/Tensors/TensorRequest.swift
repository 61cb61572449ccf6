import ContrastiveLoss
import JSON
import Perception
import Tensor

/// A request for numbers after its encoding is gone: named tensors, options, and which form the reply mirrors.
struct TensorRequest: Sendable {
    enum Form: Sendable {
        /// One JSON object for each sequence; ids are echoed. Tensors of tokens are flat, rows by length.
        case rollouts(ids: [JSONValue?], lengths: [Int])
        /// JSON members with the tensors' names.
        case columnar
        case safetensors
    }

    let form: Form
    /// While a request arrives, and where data were reduced as they did, some are outlines.
    var tensors: [String: DenseTensor]
    /// What is left of the logits that were reduced.
    var reduced: [String: ReducedLogits] = [:]
    /// Equal numbers mean the same group. Kept apart from the tensors because names of groups may be strings.
    var groupIDs: [Int]?
    var options: [JSONValue.Member]
}

/// Which tensors an operation takes.
struct TensorSchema: Sendable {
    let names: [String]
    /// Those that have no place in JSON.
    var onlyInSafetensors: [String] = []

    static let score = TensorSchema(
        names: View.allCases.flatMap { view in
            ["log_probs", "entropy", "logits"].map { "\(view.rawValue).\($0)" }
        }
            + ["token_ids", "response_mask", "advantages", "rewards", "group_ids", "cu_seqlens"],
        onlyInSafetensors: [View.interleavedLogits])
    static let mask = TensorSchema(names: [
        "original.entropy", "removing.entropy", "response_mask", "advantages", "rewards", "group_ids",
        "cu_seqlens",
    ])
    static let entropy = TensorSchema(
        names: ["logits"] + View.allCases.map { "\($0.rawValue).logits" } + ["token_ids", "cu_seqlens"])
    static let advantages = TensorSchema(names: ["rewards", "group_ids"])

    func takes(_ name: String) -> Bool { names.contains(name) }
}

extension TensorRequest {
    /// A request as far as it has arrived.
    /// - Throws: 400 for tensors the operation doesn't take and for options that are no JSON object.
    init(
        safetensors layout: SafetensorsLayout, schema: TensorSchema, tensors: [String: DenseTensor],
        reduced: [String: ReducedLogits]
    ) throws(Problem) {
        var faults = Faults()
        let known = schema.names + schema.onlyInSafetensors
        for entry in layout.entries where !known.contains(entry.name) {
            faults.add(.unknownField, .unknown("tensor", entry.name, known: known))
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
        if let tensor = tensors["group_ids"] {
            guard !tensor.elementType.isFloat, let ids = tensor.isOutline ? [] : tensor.integers() else {
                throw .elementType("group_ids", tensor, expected: "integers")
            }
            guard tensor.shape.count == 1 else {
                throw Problem(
                    .invalidShape,
                    Problem.Reason(
                        "wrong shape", field: "group_ids", expected: "[B]", found: "\(tensor.shape)"))
            }
            groups = ids
        }
        self.init(
            form: .safetensors, tensors: tensors, reduced: reduced, groupIDs: groups, options: options)
    }
}

extension View {
    /// The tensor of all views' logits, the rows of each token next to one another in the order of the cases.
    static let interleavedLogits = "logits"

    /// Where this view's row stands among those of a token.
    var part: Int { View.allCases.firstIndex(of: self) ?? 0 }
}

extension Problem {
    static func elementType(_ name: String, _ tensor: DenseTensor, expected: String) -> Problem {
        Problem(
            .invalidElementType,
            Reason("wrong element type", field: name, expected: expected, found: tensor.elementType.rawValue))
    }
}
