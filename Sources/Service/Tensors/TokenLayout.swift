import Batches
import JSON
import Tensor

/// How a request lays its tokens out, and so how its reply does and how its errors point at a token.
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
    /// Whether the offsets of the sequences are still to come: until then all tokens are one sequence.
    private(set) var isProvisional = false

    /// The shape of a tensor with one element for each token.
    var shape: [Int] {
        switch kind {
        case .padded(let length): [sequences.count, length]
        case .packed, .rollouts: [sequences.tokens]
        }
    }

    /// - Parameter guide: tensors with an entry for each token; the first that is given says B and T of a padded
    ///   request.
    /// - Throws: also when a batch of that many tokens is above the memory budget, before any of it is spent.
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

    /// A padded tensor without tokens has no bytes that would bound how many sequences it declares.
    private static let maximumEmptySequences = 1 << 12

    /// A reply says some 230 bytes about each sequence in its safetensors header, and readers take headers of 100 MB at
    /// most.
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
        // Empty ones cost four bytes here, and a hundred in the reply.
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
                Problem.Reason("wrong start", field: field, index: [0], expected: "0", found: "\(offsets[0])")
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

    /// Offsets can declare any number of tokens at no cost; memory is spent only on those that a tensor holds.
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

    /// How many tokens a packed request has, by its tensors alone.
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

    /// Rows of logits that are 0 wide hold nothing, however many there are said to be.
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
            // JSON can't write [0, T]: an empty list is an empty batch.
            if shape == [0] { return (.padded(length: 0), Sequences(offsets: [0])) }
            // [[], []] in JSON: two sequences without tokens, whose V can't be seen.
            guard shape.count == rank || (tensor.isNumbers && tensor.count == 0 && shape.count >= 2) else {
                let rest = spec.extent.rest.map { ", \($0)" }.joined()
                let expected = "[B, T\(rest)], or [N\(rest)] with cu_seqlens"
                throw Problem(
                    .invalidShape,
                    Problem.Reason("wrong rank", field: name, expected: expected, found: "\(shape)"))
            }
            // An empty tensor can declare any extent at no cost; sequences are counted in memory.
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

    /// A reason about one token of a tensor, indexed as the request wrote it.
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
    /// One list of rows that belong to no sequences.
    init(flat count: Int) { self.init(packed: [count]) }

    /// Sequences whose tokens don't count.
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
