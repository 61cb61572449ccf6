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
    /// The preset in effect, for the training signals of /metrics.
    private(set) var preset: String?
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
        let floats = narrowed(values)
        entries.append(Entry(name: name, values: .floats(floats)))
        guard let token = firstNonFinite(in: floats) else { return }
        addUnfit(name, token: token, found: "\(values[token])")
    }

    /// Numbers that were narrowed as they were made.
    mutating func add(_ name: String, _ values: [Float]) {
        entries.append(Entry(name: name, values: .floats(values)))
        guard let token = firstNonFinite(in: values) else { return }
        addUnfit(name, token: token, found: "\(values[token])")
    }

    private mutating func addUnfit(_ name: String, token: Int, found: String) {
        faults.add(
            .nonFiniteValue,
            layout.reason(
                "the result does not fit a 32-bit float; a clamp or another estimator keeps it finite",
                field: name, token: token, found: found))
    }

    mutating func add(_ name: String, _ values: [Float], rows: [Int], width: Int) {
        if let index = firstNonFinite(in: values) {
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
        self.preset = preset
        let sequences = (0..<rows.count).map { Diagnostics(source, rows[$0]) }
        let whole = Diagnostics(source, joining: sequences)
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

private func narrowed(_ values: [Double]) -> [Float] {
    var floats = [Float](repeating: 0, count: values.count)
    var span = floats.mutableSpan
    let wide = values.span
    for index in 0..<span.count { span[index] = Float(wide[index]) }
    return floats
}

/// - Complexity: O(count), in whole vectors as long as all are finite.
private func firstNonFinite(in values: [Float]) -> Int? {
    // The bits of magnitudes are ordered as the magnitudes are, with infinity and then NaN above all numbers.
    var largest: Int32 = 0
    for value in values { largest = max(largest, Int32(bitPattern: value.magnitude.bitPattern)) }
    guard largest >= Int32(bitPattern: Float.infinity.bitPattern) else { return nil }
    return values.firstIndex { !$0.isFinite }
}
