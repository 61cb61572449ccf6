import JSON
import Perception
import Tensor

/// How a request lays its tokens out, and so how its reply does and how its errors point at a token.
struct TokenLayout: Sendable {
    enum Kind: Sendable {
        /// [B,T]; the length is kept because B may be 0.
        case padded(length: Int)
        /// [N], rows by cu_seqlens
        case packed
        /// JSON objects, one for each sequence
        case rollouts(ids: [JSONValue?])
    }

    let kind: Kind
    let rows: Rows
    /// Whether the offsets of the rows are still to come: until then all tokens are one row.
    private(set) var isProvisional = false

    /// The shape of a tensor with one element for each token.
    var shape: [Int] {
        switch kind {
        case .padded(let length): [rows.count, length]
        case .packed, .rollouts: [rows.tokens]
        }
    }

    /// - Parameter guide: the names of tensors with one entry (or V) for each token; the first that is present gives B
    ///   and T of a padded request. Those called `interleaved` have one more extent before V.
    /// - Throws: also when a batch of that many tokens is above the memory budget, before any of it is spent.
    init(
        _ request: TensorRequest, guide: [String], interleaved: String? = nil,
        within context: OperationContext
    ) throws(Problem) {
        switch request.form {
        case .rollouts(let ids, let lengths):
            kind = .rollouts(ids: ids)
            rows = Rows(lengths: lengths)
            try context.claim(self)
        case .columnar, .safetensors:
            guard let tensor = request.tensors["cu_seqlens"] else {
                (kind, rows) = try TokenLayout.padded(request, guide, interleaved, context)
                return
            }
            kind = .packed
            try TokenLayout.checkOffsets(tensor)
            if tensor.isOutline {
                let tokens = try TokenLayout.tokens(of: request, guide)
                try context.claim(tokens: tokens, rows: tensor.count - 1)
                rows = Rows(lengths: [tokens])
                isProvisional = true
            } else {
                rows = try TokenLayout.packedRows(tensor)
                try TokenLayout.checkEnd(of: rows, request, guide)
                try context.claim(self)
            }
        }
    }

    /// A padded tensor without tokens has no bytes that would bound how many sequences it claims.
    private static let maximumEmptySequences = 1 << 12

    private static func checkOffsets(_ tensor: DenseTensor) throws(Problem) {
        let field = "cu_seqlens"
        guard tensor.shape.count == 1, tensor.count >= 1 else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "wrong shape", field: field, expected: "[B + 1], at least one entry",
                    found: "\(tensor.shape)"))
        }
        guard tensor.isNumbers || !tensor.elementType.isFloat else {
            throw .elementType(field, tensor, expected: "integers")
        }
    }

    private static func packedRows(_ tensor: DenseTensor) throws(Problem) -> Rows {
        let field = "cu_seqlens"
        guard let offsets = tensor.integers() else {
            throw .elementType(field, tensor, expected: "integers")
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
        return Rows(offsets: offsets)
    }

    /// Offsets claim any number of tokens at no cost; memory is spent only on those that a tensor holds.
    private static func checkEnd(
        of rows: Rows, _ request: TensorRequest, _ guide: [String]
    ) throws(Problem) {
        let (name, tensor) = try leader(of: request, guide)
        let tokens = tensor.shape.first ?? 0
        guard rows.tokens == tokens else {
            throw Problem(
                .invalidShape,
                Problem.Reason(
                    "the last offset is not the number of tokens", field: "cu_seqlens", index: [rows.count],
                    expected: "\(tokens), as \(name) has", found: "\(rows.tokens)"))
        }
        try checkVocabulary(of: tensor, name, tokens: tokens)
    }

    /// How many tokens a packed request has, by its tensors alone.
    private static func tokens(of request: TensorRequest, _ guide: [String]) throws(Problem) -> Int {
        let (name, tensor) = try leader(of: request, guide)
        let tokens = tensor.shape.first ?? 0
        try checkVocabulary(of: tensor, name, tokens: tokens)
        return tokens
    }

    private static func leader(
        of request: TensorRequest, _ guide: [String]
    ) throws(Problem) -> (name: String, DenseTensor) {
        for name in guide {
            if let tensor = request.tensors[name] { return (name, tensor) }
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

    private static func missing(_ guide: [String]) -> Problem {
        Problem(
            .missingField,
            Problem.Reason(
                "no tensor says how many tokens there are", field: guide.first,
                expected: guide.joined(separator: " or ")))
    }

    private static func padded(
        _ request: TensorRequest, _ guide: [String], _ interleaved: String?, _ context: OperationContext
    ) throws(Problem) -> (Kind, Rows) {
        for name in guide {
            guard let tensor = request.tensors[name] else { continue }
            let shape = tensor.shape
            // JSON can't write [0, T]: an empty list is an empty batch.
            if shape == [0] { return (.padded(length: 0), Rows(offsets: [0])) }
            let rank = name == interleaved ? 4 : name.hasSuffix("logits") ? 3 : 2
            // [[], []] in JSON: two sequences without tokens, whose V can't be seen.
            guard shape.count == rank || (tensor.isNumbers && tensor.count == 0 && shape.count >= 2) else {
                let rest = rank == 4 ? ", 3, V" : rank == 3 ? ", V" : ""
                let expected = "[B, T\(rest)], or [N\(rest)] with cu_seqlens"
                throw Problem(
                    .invalidShape,
                    Problem.Reason("wrong rank", field: name, expected: expected, found: "\(shape)"))
            }
            // An empty tensor claims any extent at no cost; rows are counted in memory.
            guard tensor.count > 0 || shape[0] <= maximumEmptySequences else {
                throw Problem(
                    .invalidShape,
                    Problem.Reason(
                        "too many sequences without tokens", field: name,
                        expected: "B ≤ \(maximumEmptySequences)", found: "\(shape)"))
            }
            let (tokens, overflow) = shape[0].multipliedReportingOverflow(by: shape[1])
            try checkVocabulary(of: tensor, name, tokens: overflow ? .max : tokens)
            try context.claim(tokens: tokens, rows: shape[0])
            return (.padded(length: shape[1]), Rows(padded: shape[0], shape[1]))
        }
        throw missing(guide)
    }

    /// A reason about one token of a tensor, indexed as the request wrote it.
    func reason(
        _ text: String, field: String, token: Int, expected: String? = nil, found: String? = nil
    ) -> Problem.Reason {
        let row = rows.row(of: token)
        switch kind {
        case .padded:
            return Problem.Reason(
                text, field: field, index: [row, token - rows[row].lowerBound], expected: expected,
                found: found)
        case .packed:
            return Problem.Reason(text, field: field, index: [token], expected: expected, found: found)
        case .rollouts:
            return Problem.Reason(
                text, field: "rollouts[\(row)].\(field)", index: [token - rows[row].lowerBound],
                expected: expected,
                found: found)
        }
    }
}

extension TokenLayout {
    /// One list of rows that belong to no sequences.
    init(flat count: Int) {
        kind = .packed
        rows = Rows(lengths: [count])
    }

    init(rollouts ids: [JSONValue?], lengths: [Int]) {
        kind = .rollouts(ids: ids)
        rows = Rows(lengths: lengths)
    }
}
