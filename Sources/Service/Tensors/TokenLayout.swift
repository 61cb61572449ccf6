import Batches
import JSON
import Tensor

/// The layout of a request's tokens. The reply has the same layout, and errors use it to point at a token.
struct TokenLayout: Sendable {
    enum Kind: Sendable {
        /// [B,T]; the length is kept because B may be 0.
        case padded(length: Int)
        /// [N], sequences by cu_seqlens
        case packed
        /// JSON objects, one for each sequence
        case rollouts(ids: [JSONValue?])
    }

    let kind: Kind
    let sequences: Sequences
    /// A Boolean value indicating whether the offsets of the sequences are still to come. Until then, all tokens are
    /// one sequence.
    private(set) var isProvisional = false

    /// The shape of a tensor with one element for each token.
    var shape: [Int] {
        switch kind {
        case .padded(let length): [sequences.count, length]
        case .packed, .rollouts: [sequences.tokens]
        }
    }

    /// Reads the layout of a request.
    /// - Parameter guide: tensors with an entry for each token. The first one that is given determines B and T of a
    ///   padded request.
    /// - Throws: also if a batch of this many tokens exceeds the memory budget. None of the memory has been taken then.
    init(
        _ request: TensorRequest, guide: [TensorSpec], within context: OperationContext
    ) throws(Problem) {
        switch request.form {
        case .rollouts(let ids, let lengths):
            try TokenLayout.checkSequences(ids.count, "rollouts")
            kind = .rollouts(ids: ids)
            sequences = Sequences(lengths: lengths)
            try context.claim(self)
        case .columnar, .safetensors:
            guard let tensor = request.tensors[TensorSpec.offsets.name] else {
                (kind, sequences) = try TokenLayout.padded(request, guide, context)
                return
            }
            kind = .packed
            try TokenLayout.checkOffsets(tensor)
            try TokenLayout.checkSequences(tensor.count - 1, TensorSpec.offsets.name)
            if tensor.isOutline {
                let tokens = try TokenLayout.tokens(of: request, guide)
                try context.claim(tokens: tokens, sequences: tensor.count - 1)
                sequences = Sequences(lengths: [tokens])
                isProvisional = true
            } else {
                sequences = try TokenLayout.packedSequences(tensor)
                try TokenLayout.checkEnd(of: sequences, request, guide)
                try context.claim(self)
            }
        }
    }

    /// The maximum number of sequences without tokens. A padded tensor without tokens has no bytes that would limit the
    /// number of sequences it declares.
    private static let maximumEmptySequences = 1 << 12

    /// The maximum number of sequences. The safetensors header of a reply has about 230 bytes for each sequence, and
    /// readers accept headers of at most 100 MB.
    static let maximumSequences = 1 << 18

    private static func checkSequences(_ count: Int, _ field: String) throws(Problem) {
        guard count <= maximumSequences else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "too many sequences; send smaller batches", field: field,
                    expected: "B ≤ \(maximumSequences)", found: "\(count)"))
        }
    }

    private static func checkOffsets(_ tensor: DenseTensor) throws(Problem) {
        let field = TensorSpec.offsets.name
        guard tensor.shape.count == 1, tensor.count >= 1 else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "wrong shape", field: field, expected: "[B + 1], at least one entry",
                    found: "\(tensor.shape)"))
        }
        // An empty sequence costs four bytes here, and a hundred in the reply.
        guard tensor.count - 1 <= RolloutColumns.limit else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "too many sequences", field: field, expected: "B ≤ \(RolloutColumns.limit)",
                    found: "\(tensor.shape)"))
        }
        guard TensorSpec.offsets.elements.accepts(tensor) else {
            throw Problem(.invalidElementType, .elementType(.offsets, tensor))
        }
    }

    private static func packedSequences(_ tensor: DenseTensor) throws(Problem) -> Sequences {
        let field = TensorSpec.offsets.name
        guard let offsets = tensor.integers() else {
            throw Problem(.invalidElementType, .elementType(.offsets, tensor))
        }
        guard offsets[0] == 0 else {
            throw Problem(
                .invalidValue,
                Problem.Reason(
                    "offsets must start at 0", field: field, index: [0], expected: "0", found: "\(offsets[0])"
                )
            )
        }
        for index in offsets.indices.dropFirst()
        where offsets[index] < offsets[index - 1] || offsets[index] > 1 << 40 {
            throw Problem(
                .invalidValue,
                Problem.Reason(
                    "offsets must not decrease", field: field, index: [index],
                    expected: "≥ \(offsets[index - 1])",
                    found: "\(offsets[index])"))
        }
        return Sequences(offsets: offsets)
    }

    /// Checks the last offset. Offsets can declare any number of tokens at no cost, but memory is spent only on tokens
    /// that a tensor holds.
    private static func checkEnd(
        of sequences: Sequences, _ request: TensorRequest, _ guide: [TensorSpec]
    ) throws(Problem) {
        let (name, tensor) = try leader(of: request, guide)
        let tokens = tensor.shape.first ?? 0
        guard sequences.tokens == tokens else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "the last offset is not the number of tokens", field: TensorSpec.offsets.name,
                    index: [sequences.count],
                    expected: "\(tokens), as \(name) has", found: "\(sequences.tokens)"))
        }
        try checkVocabulary(of: tensor, name, tokens: tokens)
    }

    /// Returns the number of tokens of a packed request, from its tensors alone.
    private static func tokens(of request: TensorRequest, _ guide: [TensorSpec]) throws(Problem) -> Int {
        let (name, tensor) = try leader(of: request, guide)
        let tokens = tensor.shape.first ?? 0
        try checkVocabulary(of: tensor, name, tokens: tokens)
        return tokens
    }

    private static func leader(
        of request: TensorRequest, _ guide: [TensorSpec]
    ) throws(Problem) -> (name: String, DenseTensor) {
        for spec in guide {
            if let tensor = request.tensors[spec.name] { return (spec.name, tensor) }
        }
        throw missing(guide)
    }

    /// Checks that logits have a vocabulary. Rows of width 0 hold nothing, whatever their declared number.
    static func checkVocabulary(of tensor: DenseTensor, _ name: String, tokens: Int) throws(Problem) {
        guard tensor.count > 0 || tokens == 0 else {
            throw Problem(
                .invalidShape,
                Problem.Reason("no vocabulary", field: name, expected: "V ≥ 1", found: "\(tensor.shape)"))
        }
    }

    private static func missing(_ guide: [TensorSpec]) -> Problem {
        Problem(
            .missingField,
            Problem.Reason(
                "no tensor determines the number of tokens", field: guide.first?.name,
                expected: guide.map(\.name).joined(separator: " or ")))
    }

    private static func padded(
        _ request: TensorRequest, _ guide: [TensorSpec], _ context: OperationContext
    ) throws(Problem) -> (Kind, Sequences) {
        for spec in guide {
            guard let tensor = request.tensors[spec.name], let rank = spec.extent.paddedRank else { continue }
            let name = spec.name
            let shape = tensor.shape
            // JSON cannot write [0, T], so an empty list is an empty batch.
            if shape == [0] { return (.padded(length: 0), Sequences(offsets: [0])) }
            // In JSON, [[], []] is two sequences without tokens, and V is unknown.
            guard shape.count == rank || (tensor.isNumbers && tensor.count == 0 && shape.count >= 2) else {
                let rest = spec.extent.rest.map { ", \($0)" }.joined()
                let expected = "[B, T\(rest)], or [N\(rest)] with cu_seqlens"
                throw Problem(
                    .invalidShape,
                    Problem.Reason("wrong rank", field: name, expected: expected, found: "\(shape)"))
            }
            // An empty tensor can declare any extent at no cost, but sequences take memory.
            guard tensor.count > 0 || shape[0] <= maximumEmptySequences else {
                throw Problem(
                    .invalidShape,
                    Problem.Reason(
                        "too many sequences without tokens", field: name,
                        expected: "B ≤ \(maximumEmptySequences)", found: "\(shape)"))
            }
            let (tokens, overflow) = shape[0].multipliedReportingOverflow(by: shape[1])
            try checkVocabulary(of: tensor, name, tokens: overflow ? .max : tokens)
            try checkSequences(shape[0], name)
            try context.claim(tokens: tokens, sequences: shape[0])
            return (.padded(length: shape[1]), Sequences(padded: shape[0], shape[1]))
        }
        throw missing(guide)
    }

    /// Returns a reason about one token of a tensor, with the index that the token has in the request.
    func reason(
        _ text: String, field: String, token: Int, expected: String? = nil, found: String? = nil
    ) -> Problem.Reason {
        let sequence = sequences.sequence(of: token)
        switch kind {
        case .padded:
            return Problem.Reason(
                text, field: field, index: [sequence, token - sequences[sequence].lowerBound],
                expected: expected,
                found: found)
        case .packed:
            return Problem.Reason(text, field: field, index: [token], expected: expected, found: found)
        case .rollouts:
            return Problem.Reason(
                text, field: "rollouts[\(sequence)].\(field)",
                index: [token - sequences[sequence].lowerBound],
                expected: expected,
                found: found)
        }
    }
}

extension TokenLayout {
    /// Creates a layout for one list of rows that belong to no sequences.
    init(flat count: Int) { self.init(packed: [count]) }

    /// Creates a layout for sequences whose tokens do not matter.
    init(sequences count: Int, of form: TensorRequest.Form) {
        if case .rollouts(let ids, _) = form {
            self.init(rollouts: ids, lengths: [Int](repeating: 0, count: ids.count))
        } else {
            self.init(packed: [Int](repeating: 0, count: count))
        }
    }

    init(packed lengths: [Int]) {
        kind = .packed
        sequences = Sequences(lengths: lengths)
    }

    init(rollouts ids: [JSONValue?], lengths: [Int]) {
        kind = .rollouts(ids: ids)
        sequences = Sequences(lengths: lengths)
    }
}
