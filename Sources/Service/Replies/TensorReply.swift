import Batches
import ContrastiveLoss
import JSON
import TokenDistribution

/// A reply of numbers before it is encoded: scalars, and tensors in the layout of the request.
struct TensorReply: Sendable {
    struct Entry: Sendable {
        let name: String
        let values: Values
    }

    enum Values: Sendable {
        /// [N] of 0 and 1
        case masks([UInt8])
        /// [N]
        case floats(FloatList)
        /// [N] BF16
        case bfloat16s(BFloat16List)
        /// [B]. A rollout object has one of the numbers, under the name `member`.
        case sequences(FloatList, member: String)
        /// One number without dimensions, F64. In JSON it is already among the scalars.
        case scalar(Double)
        /// [N]
        case integers([Int])
        /// A list of strings for each sequence that has one.
        case texts(TokenTexts)
        /// [S]: flat indices of tokens, ascending
        case indices([Int])
        /// [S,V] of `gradientType` of one view, one row for each of `gradients.rows`; still to be computed.
        case gradient(View)
        /// [S,width] as bytes, one row for each of `rows`
        case rows([UInt8], as: ResultType, rows: [Int], width: Int)
    }

    let form: TensorRequest.Form
    let layout: TokenLayout
    var scalars: [JSONValue.Member] = []
    private(set) var entries: [Entry] = []
    /// The source of the entries that are gradients of logits.
    private(set) var gradients: LogitGradients?
    private(set) var gradientType = ResultType.float32
    /// One for each sequence; empty when the operation has none.
    private(set) var sequenceDiagnostics: [Diagnostics] = []
    /// Of the whole batch; nil when the operation has none.
    private(set) var diagnostics: Diagnostics?
    private var batchDiagnostics: BatchDiagnostics?
    /// For /metrics; nil when the operation has none.
    private(set) var signals: TrainingSignals?
    /// The inputs of the batch, if batches are kept for viewers.
    var shown: ShownTokens?
    private var faults = Faults()

    init(form: TensorRequest.Form, layout: TokenLayout) {
        self.form = form
        self.layout = layout
    }

    mutating func add(_ name: String, masks: [UInt8]) {
        entries.append(Entry(name: name, values: .masks(masks)))
    }

    mutating func add(_ name: String, integers: [Int]) {
        entries.append(Entry(name: name, values: .integers(integers)))
    }

    mutating func add(_ name: String, _ texts: TokenTexts) {
        entries.append(Entry(name: name, values: .texts(texts)))
    }

    /// Adds the entries of a reply about the same tokens, except scalars and texts.
    mutating func add(entriesOf other: TensorReply) {
        entries += other.entries.filter { entry in
            switch entry.values {
            case .scalar, .texts: false
            case .masks, .floats, .bfloat16s, .integers, .sequences, .indices, .gradient, .rows: true
            }
        }
    }

    mutating func add(_ name: String, indices: [Int]) {
        entries.append(Entry(name: name, values: .indices(indices)))
    }

    /// Adds numbers, narrowed to the reply's type. A number that does not fit is a fault, never an infinity.
    mutating func add(_ name: String, _ values: [Double]) {
        let (floats, firstNonFinite) = FloatList.narrowing(values)
        entries.append(Entry(name: name, values: .floats(floats)))
        guard let token = firstNonFinite else { return }
        addUnfit(name, token: token, found: "\(values[token])")
    }

    /// Adds one number for each sequence.
    /// - Parameter member: its name in a rollout object; nil for `name`.
    mutating func add(_ name: String, sequences values: [Double], in member: String? = nil) {
        let (floats, firstNonFinite) = FloatList.narrowing(values)
        entries.append(Entry(name: name, values: .sequences(floats, member: member ?? name)))
        guard let sequence = firstNonFinite else { return }
        faults.add(
            .nonFiniteValue,
            Problem.Reason(
                "the result does not fit a 32-bit float", field: name, index: [sequence],
                found: "\(values[sequence])"))
    }

    /// Adds numbers that were narrowed as they were made.
    mutating func add(_ name: String, _ values: FloatList) {
        entries.append(Entry(name: name, values: .floats(values)))
        guard let token = values.firstNonFinite else { return }
        addUnfit(name, token: token, found: "\(values[token])")
    }

    /// Adds the numbers that were narrowed as they were made, or else those that were not.
    mutating func add(_ name: String, _ narrow: FloatList?, _ values: [Double]?) {
        if let narrow { add(name, narrow) } else { add(name, values ?? []) }
    }

    /// Adds gradients of log-probabilities, rounded to the type.
    mutating func add(_ name: String, gradient values: FloatList, as type: ResultType) {
        switch type {
        case .float32: add(name, values)
        case .bfloat16:
            let (bfloat16s, areFinite) = BFloat16List.rounding(values)
            entries.append(Entry(name: name, values: .bfloat16s(bfloat16s)))
            guard !areFinite, let token = values.firstIndex(where: { !BFloat16List.fits($0) }) else { return }
            addUnfit(name, token: token, found: "\(values[token])", type)
        }
    }

    private mutating func addUnfit(
        _ name: String, token: Int, found: String, _ type: ResultType = .float32
    ) {
        let reason = layout.reason(
            "the result does not fit \(type.words)", field: name, token: token, found: found)
        faults.add(.nonFiniteValue, reason)
    }

    /// Adds gradients of logits, which are computed once their destination is known.
    mutating func add(_ gradients: LogitGradients, as type: ResultType, _ names: [(View, String)]) {
        self.gradients = gradients
        gradientType = type
        for (view, name) in names { entries.append(Entry(name: name, values: .gradient(view))) }
    }

    /// The reply without gradients of logits and their inputs, and without the diagnostics of each sequence. Its size
    /// is bounded by the number of tokens.
    var withoutLogits: TensorReply {
        var kept = self
        kept.entries = entries.filter { entry in
            switch entry.values {
            case .gradient, .rows, .indices: false
            case .masks, .floats, .bfloat16s, .integers, .texts, .sequences, .scalar: true
            }
        }
        kept.gradients = nil
        kept.sequenceDiagnostics = []
        kept.shown = nil
        return kept
    }

    /// The approximate memory of the lists, in bytes.
    var tokenBytes: Int {
        entries.reduce(0) { sum, entry in
            switch entry.values {
            case .masks(let masks): sum + masks.count
            case .floats(let floats), .sequences(let floats, _): sum + floats.bytes.count
            case .bfloat16s(let bfloat16s): sum + bfloat16s.bytes.count
            case .integers(let integers), .indices(let integers): sum + 8 * integers.count
            case .texts(let texts): sum + texts.bytes
            case .rows(let bytes, _, let rows, _): sum + bytes.count + 8 * rows.count
            case .scalar, .gradient: sum
            }
        }
    }

    /// The views whose gradients of logits are wanted.
    var gradientViews: Set<View> {
        Set(entries.compactMap { if case .gradient(let view) = $0.values { view } else { nil } })
    }

    /// Returns the reply with every gradient computed.
    /// - Parameter isWanted: called now and then; false ends the work.
    /// - Throws: `non-finite-value` for one that doesn't fit its type.
    /// - Complexity: O(S·V) over all cores
    func filled(while isWanted: @Sendable () -> Bool) throws(Problem) -> TensorReply {
        guard let gradients else { return self }
        let bytes: PerView<[UInt8]>
        do throws(UnfilledRows) {
            bytes = try gradients.bytes(of: gradientViews, as: gradientType, while: isWanted)
        } catch {
            throw problem(error)
        }
        var whole = self
        whole.entries = entries.map { entry in
            guard case .gradient(let view) = entry.values else { return entry }
            return Entry(
                name: entry.name,
                values: .rows(
                    bytes[view], as: gradientType, rows: gradients.rows, width: gradients.vocabulary))
        }
        return whole
    }

    func problem(_ unfilled: UnfilledRows) -> Problem {
        switch unfilled {
        case .unfit(let token):
            Problem(
                .nonFiniteValue,
                layout.reason(
                    "a gradient of its logits does not fit \(gradientType.words)", field: "grad", token: token
                ))
        case .unwanted: .unheard
        }
    }

    /// - Parameter asTensor: whether safetensors also has it as a tensor, because readers of tensors drop metadata.
    mutating func addScalar(_ name: String, _ value: Double, asTensor: Bool = false) {
        checkFinite(name, value)
        scalars.append(.init(name, .number(value)))
        if asTensor { entries.append(Entry(name: name, values: .scalar(value))) }
    }

    /// Adds several numbers under one name, by view.
    mutating func addScalars(_ name: String, _ values: [(view: String, value: Double)]) {
        for (view, value) in values { checkFinite("\(name).\(view)", value) }
        scalars.append(.init(name, .object(values.map { .init($0.view, .number($0.value)) })))
    }

    private mutating func checkFinite(_ name: String, _ value: Double) {
        guard !value.isFinite else { return }
        faults.add(
            .nonFiniteValue,
            Problem.Reason(
                "the result is not finite; a clamp or another estimator keeps it finite", field: name,
                found: "\(value)"))
    }

    mutating func setDiagnostics(_ source: Diagnostics.Source, sequences: Sequences, preset: String) {
        let sequences = Diagnostics.sequences(source)
        let whole = Diagnostics(source, joining: sequences)
        signals = TrainingSignals(preset: preset, diagnostics: whole, source)
        let batch = BatchDiagnostics(source)
        batchDiagnostics = batch
        for (name, value) in batch.numbers { checkFinite("diagnostics.\(name)", value) }
        if !(whole.isFinite && sequences.allSatisfy(\.isFinite)) {
            faults.add(
                .nonFiniteValue,
                Problem.Reason(
                    "a mean over the tokens is not finite",
                    field: "diagnostics"))
        }
        diagnostics = whole
        sequenceDiagnostics = sequences
        // A placeholder, so that replies list it with the other scalars.
        scalars.append(.init("diagnostics", .null))
    }

    /// - Throws: the errors of numbers that did not fit.
    func check() throws(Problem) { try faults.check() }

    /// Returns the scalars with the diagnostics filled in. They include those of each sequence if no rollout objects
    /// carry them.
    func resolvedScalars(withSequences: Bool) -> [JSONValue.Member] {
        scalars.map { member in
            guard member.name == "diagnostics", var members = diagnostics?.members else { return member }
            members += batchDiagnostics?.members ?? []
            if withSequences {
                members.append(.init("sequences", .array(sequenceDiagnostics.map { .object($0.members) })))
            }
            return .init("diagnostics", .object(members))
        }
    }
}

extension ResultType {
    /// The name of the type in an error.
    fileprivate var words: String {
        switch self {
        case .float32: "a 32-bit float"
        case .bfloat16: "BF16"
        }
    }
}
