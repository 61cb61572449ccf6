import HTTP
import HTTPTypes

/// Measures the phases of one request, for `Server-Timing` (W3C Server Timing) and metrics.
struct PhaseTimer: Sendable {
    enum Phase: String, Sendable, CaseIterable {
        case decode
        case compute
        case encode
    }

    private(set) var durations: [(phase: Phase, duration: Duration)] = []
    private var last = ContinuousClock.now
    private let before: [Phase: Duration]

    /// - Parameter before: the time spent on phases while the request arrived.
    init(before: [Phase: Duration] = [:]) {
        self.before = before
    }

    /// Ends a phase that began at the end of the previous one.
    mutating func end(_ phase: Phase) {
        let now = ContinuousClock.now
        durations.append((phase, now - last + before[phase, default: .zero]))
        last = now
    }

    /// `decode;dur=1.25, compute;dur=…`, in milliseconds.
    var serverTiming: String {
        durations.map { entry in
            let microseconds =
                entry.duration.components.seconds * 1_000_000
                + entry.duration.components.attoseconds / 1_000_000_000_000
            let fraction = String(microseconds % 1000 + 1000).dropFirst()
            return "\(entry.phase.rawValue);dur=\(microseconds / 1000).\(fraction)"
        }.joined(separator: ", ")
    }
}

extension HTTPField.Name {
    static let serverTiming = name("Server-Timing")
    static let perceptionRun = name("Perception-Run")
    static let perceptionRunStatus = name("Perception-Run-Status")
    static let perceptionSteps = name("Perception-Steps")
    static let perceptionStepsOmitted = name("Perception-Steps-Omitted")
    static let perceptionSize = name("Perception-Size")
    static let perceptionCells = name("Perception-Cells")
    static let crossOriginOpenerPolicy = name("Cross-Origin-Opener-Policy")
    static let crossOriginEmbedderPolicy = name("Cross-Origin-Embedder-Policy")
    static let permissionsPolicy = name("Permissions-Policy")

    static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no field name") }
        return name
    }
}
