import ContrastiveLoss
import JSON
import Perception

/// A reply of numbers before it has an encoding: scalars, and tensors laid out as the request was.
struct TensorReply: Sendable {
    struct Entry: Sendable {
        let name: String
        let values: Values
    }

    enum Values: Sendable {
        /// [N] of 0 and 1
        case masks([UInt8])
        /// [N]
        case floats([Float])
        /// [S]: flat numbers of tokens, ascending
        case rowNumbers([Int])
        /// [S,width], one row for each of `rows`
        case rows([Float], rows: [Int], width: Int)
    }

    /// How a tensor appears in a rollout object when not under its own name as a list.
    enum RolloutName: Sendable {
        /// Its one number.
        case scalar(String)
    }

    let form: TensorRequest.Form
    let layout: TokenLayout
    var scalars: [JSONValue.Member] = []
    private(set) var entries: [Entry] = []
    /// One for each sequence; empty when the operation has none.
    private(set) var sequenceDiagnostics: [[JSONValue.Member]] = []
    /// Of the whole batch; nil when the operation has none.
    private(set) var diagnostics: Diagnostics?
    /// For /metrics; nil when the operation has none.
    private(set) var signals: TrainingSignals?
    var rolloutNames: [String: RolloutName] = [:]
    private var faults = Faults()

    init(form: TensorRequest.Form, layout: TokenLayout) {
        self.form = form
        self.layout = layout
    }

    mutating func add(_ name: String, masks: [UInt8]) {
        entries.append(Entry(name: name, values: .masks(masks)))
    }

    mutating func add(_ name: String, rowNumbers: [Int]) {
        entries.append(Entry(name: name, values: .rowNumbers(rowNumbers)))
    }

    /// Narrows to the reply's type; a number that doesn't fit is a fault, never an infinity.
    mutating func add(_ name: String, _ values: [Double]) {
        let floats = values.map(Float.init)
        if let token = floats.firstIndex(where: { !$0.isFinite }) {
            faults.add(
                .nonFiniteValue,
                layout.reason(
                    "the result does not fit a 32-bit float; a clamp or another estimator keeps it finite",
                    field: name,
                    token: token, found: "\(values[token])"))
        }
        entries.append(Entry(name: name, values: .floats(floats)))
    }

    mutating func add(_ name: String, _ values: [Float], rows: [Int], width: Int) {
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            faults.add(
                .nonFiniteValue,
                layout.reason(
                    "the result does not fit a 32-bit float", field: name, token: rows[index / width],
                    found: "\(values[index])"))
        }
        entries.append(Entry(name: name, values: .rows(values, rows: rows, width: width)))
    }

    mutating func addScalar(_ name: String, _ value: Double) {
        guard value.isFinite else {
            faults.add(
                .nonFiniteValue,
                Problem.Reason(
                    "the result is not finite; a clamp or another estimator keeps it so", field: name,
                    found: "\(value)"))
            return
        }
        scalars.append(.init(name, .number(value)))
    }

    mutating func setDiagnostics(_ source: Diagnostics.Source, rows: Rows, preset: String) {
        let whole = Diagnostics(source, 0..<rows.tokens)
        signals = TrainingSignals(preset: preset, diagnostics: whole, loss: source.loss?.aggregated)
        let sequences = (0..<rows.count).map { Diagnostics(source, rows[$0]) }
        if !(whole.isFinite && sequences.allSatisfy(\.isFinite)) {
            faults.add(
                .nonFiniteValue,
                Problem.Reason(
                    "a mean over the tokens is not finite; a clamp or another estimator keeps it so",
                    field: "diagnostics"))
        }
        diagnostics = whole
        sequenceDiagnostics = sequences.map(\.members)
        // In place, so that replies list it with the other scalars.
        scalars.append(.init("diagnostics", .null))
    }

    /// - Throws: what didn't fit.
    func check() throws(Problem) { try faults.check() }

    /// The scalars with the diagnostics filled in: with each sequence's where no rollout objects carry them.
    func resolvedScalars(withSequences: Bool) -> [JSONValue.Member] {
        scalars.map { member in
            guard member.name == "diagnostics", var members = diagnostics?.members else { return member }
            if withSequences {
                members.append(.init("sequences", .array(sequenceDiagnostics.map { .object($0) })))
            }
            return .init("diagnostics", .object(members))
        }
    }
}
