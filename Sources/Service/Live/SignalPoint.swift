import JSON

/// A point of the charts: one batch's training signals, NaN if the batch lacks one.
struct SignalPoint: Sendable {
    let number: Int
    let time: Double
    let tokens: Int
    private let values: SIMD8<Double>

    /// The names of the signals, in order.
    static let names = [
        "loss", "objective", "mean_delta_entropy", "mean_contrast", "candidate_fraction", "selected_fraction",
        "gated_fraction", "clamped_fraction",
    ]

    init(number: Int, time: Double, _ reply: TensorReply) {
        self.number = number
        self.time = time
        var values = SIMD8<Double>(repeating: .nan)
        let signals = reply.signals
        tokens = signals?.diagnostics.tokens ?? 0
        values[0] = reply.scalars.first { $0.name == "loss" }?.value.double ?? .nan
        values[1] = signals?.loss?.objective ?? .nan
        if let diagnostics = signals?.diagnostics {
            // 0/0 is NaN, because nothing has no mean.
            let tokens = Double(diagnostics.tokens)
            let gated = Double(diagnostics.gated)
            if diagnostics.comparesEntropies { values[2] = diagnostics.deltaSum / tokens }
            values[3] = diagnostics.contrastSum / gated
            values[4] = Double(diagnostics.candidates) / tokens
            values[5] = Double(diagnostics.selected) / tokens
            values[6] = gated / tokens
            values[7] = Double(diagnostics.clamped) / gated
        }
        self.values = values
    }

    subscript(signal: Int) -> JSONValue { values[signal].isFinite ? .number(values[signal]) : .null }

    /// The signals by name.
    var json: JSONValue {
        .object(SignalPoint.names.indices.map { .init(SignalPoint.names[$0], self[$0]) })
    }
}

/// The latest points of one run, oldest first.
struct SignalHistory: Sendable {
    private var points: [SignalPoint] = []
    /// The index of the oldest point once the list is full.
    private var oldest = 0

    static let most = 512
    /// The memory of one run's points.
    static let bytes = most * MemoryLayout<SignalPoint>.stride

    mutating func append(_ point: SignalPoint) {
        if points.count < SignalHistory.most {
            points.append(point)
        } else {
            points[oldest] = point
            oldest = (oldest + 1) % SignalHistory.most
        }
    }

    var inOrder: [SignalPoint] { Array(points[oldest...] + points[..<oldest]) }

    /// The points by column.
    var json: JSONValue {
        let points = inOrder
        var members: [JSONValue.Member] = [
            .init("batch", .array(points.map { .integer(Int64($0.number)) })),
            .init("time", .array(points.map { .number($0.time) })),
            .init("tokens", .array(points.map { .integer(Int64($0.tokens)) })),
        ]
        for (signal, name) in SignalPoint.names.enumerated() {
            members.append(.init(name, .array(points.map { $0[signal] })))
        }
        return .object(members)
    }
}
