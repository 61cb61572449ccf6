import ContrastiveLoss
import HTTP
import Tensor
import TokenDistribution

/// A sink that takes a safetensors body apart while it arrives. It keeps small tensors, reduces logits to statistics
/// of their rows as the bytes pass, and reports errors as soon as they are known.
///
/// A request with only small tensors takes the same path with nothing to reduce.
final class TensorIntake: BodySink {
    /// An operation's plan for the request so far; see ``TensorOperation/plan(for:context:)``.
    typealias Planner = (TensorRequest) throws(Problem) -> IntakePlan?
    typealias Completion = (Arrival, RequestScope) -> Outcome

    /// A complete request.
    struct Arrival: Sendable {
        let request: TensorRequest
        /// The memory that it holds, in bytes.
        let heldBytes: Int
        /// The time spent on it while it arrived.
        let reducing: Duration
    }

    /// The longest header. It is parsed in place, on an I/O thread that serves other requests, too. This is ample for
    /// names and options; the format's own limit would take a second to parse.
    static let maximumHeaderBytes = 1 << 20

    /// The largest rest of a body for which an error does not end the request. The answer would be no earlier, and
    /// once everything has arrived it lists every error.
    private static let patience = 1 << 20

    let maxBodyBytes: Int?
    private let limits: IntakeLimits
    private let schema: TensorSchema
    private let planner: Planner
    private let completion: Completion
    private let requestID: String
    private let fileLength: Int?

    private var prefix: SafetensorsPrefix
    private var layout: SafetensorsLayout?
    private var uses: [IntakePlan.Use] = []
    private var plan: IntakePlan?
    /// Bytes of data that have arrived.
    private var received = 0
    /// The index of the tensor to which the next byte belongs.
    private var current = 0
    private var kept = ArrivingBytes(expecting: 0)
    /// The start of each kept tensor in `kept`; nil for other tensors.
    private var keptStarts: [Int?] = []
    private var reductions: [String: LogitReduction] = [:]
    private var contrasts: [String: ContrastReduction] = [:]
    /// Whether a kept tensor has become complete since the plan was made.
    private var planIsStale = false
    /// An error that was found with little of the body still to come, so that the rest is read. Rows read since then
    /// may not have been reduced correctly.
    private var earlyProblem: Problem?
    private var reducing = Duration.zero

    init(
        _ head: RequestHead, schema: TensorSchema, limits: IntakeLimits, planner: @escaping Planner,
        completion: @escaping Completion
    ) {
        self.schema = schema
        self.limits = limits
        self.planner = planner
        self.completion = completion
        requestID = head.requestID
        fileLength = head.contentLength
        maxBodyBytes = limits.streamed
        prefix = SafetensorsPrefix(fileLength: head.contentLength, limit: Self.maximumHeaderBytes)
    }

    var memory: MemoryClaim { .held(heldBytes) }

    private var heldBytes: Int {
        prefix.bytes.count + kept.count + (plan?.heldBytes ?? 0)
            + reductions.values.reduce(0) { $0 + $1.heldBytes }
            + contrasts.values.reduce(0) { $0 + $1.heldBytes }
    }

    func receive(_ piece: RawSpan) -> Response? {
        do throws(Problem) {
            try take(piece)
            return nil
        } catch {
            return error.response(requestID: requestID)
        }
    }

    func finish(_ scope: RequestScope) -> Outcome {
        do throws(Problem) {
            guard let layout else { throw Problem(prefix.truncation) }
            do throws(SafetensorsError) { try layout.check(available: received) } catch {
                throw Problem(error, schema)
            }
            let heldBytes = heldBytes
            let request = try request(layout, bytes: kept.take())
            if let earlyProblem, !reductions.isEmpty {
                // Reports all faults of the tensors that were kept, or else the error that stopped the plan. Faults of
                // rows that were only partly read are never reported.
                _ = try planner(request)
                throw earlyProblem
            }
            return completion(
                Arrival(request: request, heldBytes: heldBytes, reducing: reducing), scope)
        } catch {
            return .reply(error.response(requestID: requestID))
        }
    }

    private func take(_ piece: RawSpan) throws(Problem) {
        var start = 0
        if layout == nil {
            do throws(SafetensorsError) { (start, layout) = try prefix.consume(piece) } catch {
                throw Problem(error, schema)
            }
            guard let layout else { return }
            try open(layout)
        }
        guard let layout else { return }
        while true {
            try advance(in: layout)
            guard start < piece.byteCount else { return }
            guard current < layout.entries.count else {
                received += piece.byteCount - start
                return try end(layout)
            }
            let entry = layout.entries[current]
            let count = min(piece.byteCount - start, entry.data.upperBound - received)
            try take(piece.extracting(start..<start + count), of: entry)
            received += count
            start += count
        }
    }

    /// Reports bytes beyond the last tensor of the header.
    private func end(_ layout: SafetensorsLayout) throws(Problem) {
        do throws(SafetensorsError) { try layout.check(available: received) } catch {
            throw Problem(error, schema)
        }
    }

    /// Decides the use of every tensor once the header is complete, and refuses a request that could not be held.
    private func open(_ layout: SafetensorsLayout) throws(Problem) {
        do throws(Problem) {
            if needsPlan(layout) { plan = try planner(request(layout, bytes: nil)) }
        } catch {
            // Without a plan all of it is kept.
            guard isWorthReading(from: 0) else { throw error }
            earlyProblem = error
        }
        let ids = layout.entries.firstIndex { $0.name == TensorSpec.tokenIDs.name } ?? 0
        var keptBytes = 0
        var workingBytes = 0
        var advice: String?
        for (index, entry) in layout.entries.enumerated() {
            var use = plan?.uses[entry.name]
            if use?.readsTokens == true, ids > index {
                use = .keep(
                    advice:
                        "token_ids come after these logits in the file; put them first, as writers that "
                        + "sort tensors by element size do, or send log_probs")
            }
            keptStarts.append(nil)
            switch use {
            case .keep(let words):
                advice = advice ?? words
                fallthrough
            case nil:
                keptStarts[index] = keptBytes
                keptBytes += entry.data.count
                uses.append(.keep(advice: ""))
            case .skip: uses.append(.skip)
            case .reduce(let temperature, let slices):
                uses.append(.reduce(temperature: temperature, slices: slices))
                reductions[entry.name] = LogitReduction(entry, temperature: temperature, slices: slices)
            case .contrast(let contrast, let slices):
                uses.append(.contrast(contrast, slices: slices))
                contrasts[entry.name] = ContrastReduction(entry, contrast, slices: slices)
                workingBytes = ContrastReduction.workingBytes(entry)
            }
        }
        try limits.check(
            held: prefix.bytes.count + keptBytes + workingBytes, declared: fileLength, advice: advice)
        kept = ArrivingBytes(expecting: keptBytes)
    }

    /// Returns whether any tensor of the request may be reduced, or refused before it is complete.
    private func needsPlan(_ layout: SafetensorsLayout) -> Bool {
        !isWorthReading(from: 0) || layout.entries.contains { schema[$0.name]?.extent.isReducible ?? false }
    }

    /// Advances to the next tensor with bytes to come. Before one that is not kept, it asks for a new plan.
    private func advance(in layout: SafetensorsLayout) throws(Problem) {
        while current < layout.entries.count, layout.entries[current].data.upperBound == received {
            if keptStarts[current] != nil { planIsStale = true }
            current += 1
        }
        guard planIsStale, current < layout.entries.count, keptStarts[current] == nil else { return }
        planIsStale = false
        do throws(Problem) {
            plan = try planner(request(layout, bytes: kept.soFar))
        } catch {
            guard isWorthReading(from: received) else { throw error }
            earlyProblem = error
        }
    }

    /// Returns whether little of the body is still to come after this position in the data.
    private func isWorthReading(from position: Int) -> Bool {
        guard let fileLength, let layout else { return false }
        return fileLength - layout.dataStart - position <= Self.patience
    }

    private func take(_ bytes: RawSpan, of entry: SafetensorsLayout.Entry) throws(Problem) {
        let started = ContinuousClock.now
        defer { reducing += .now - started }
        switch uses[current] {
        case .keep: kept.append(bytes)
        case .skip: return
        case .reduce(_, let slices):
            guard let plan, let rowBytes = reductions[entry.name]?.rowBytes else { return }
            try reductions[entry.name]?.fold(bytes, ids: plan.tokenIDs, masks: slices.map(plan.mask)) {
                token, slice, outcome, tokenLogit throws(Problem) in
                let end = rowBytes * (token * slices.count + slice + 1)
                if isWorthReading(from: entry.data.lowerBound + end) { return }
                try plan.judge(token, slice, of: slices, outcome, tokenLogit: tokenLogit, field: entry.name)
            }
        case .contrast(_, let slices):
            guard let plan, let tokenBytes = contrasts[entry.name]?.tokenBytes else { return }
            try contrasts[entry.name]?.read(bytes, ids: plan.tokenIDs, mask: plan.responseMask) {
                token, slice, outcome, tokenLogit throws(Problem) in
                if isWorthReading(from: entry.data.lowerBound + tokenBytes * (token + 1)) { return }
                try plan.judge(token, slice, of: slices, outcome, tokenLogit: tokenLogit, field: entry.name)
            }
        }
    }

    /// - Parameter bytes: the bytes of kept tensors so far; nil for none.
    private func request(_ layout: SafetensorsLayout, bytes: [UInt8]?) throws(Problem) -> TensorRequest {
        var tensors: [String: DenseTensor] = [:]
        for (index, entry) in layout.entries.enumerated() {
            let isHere = bytes != nil && index < current && keptStarts[index] != nil
            tensors[entry.name] =
                if isHere, let bytes, let start = keptStarts[index] {
                    DenseTensor(entry, viewing: bytes, start: start)
                } else {
                    DenseTensor(outlineOf: entry)
                }
        }
        let reduced = reductions.mapValues(\.result).merging(contrasts.mapValues(\.result)) { $1 }
        return try TensorRequest(safetensors: layout, schema: schema, tensors: tensors, reduced: reduced)
    }
}

extension IntakePlan {
    /// Ends a request at an invalid row that counts. If it is not yet known whether the row counts, the complete
    /// request is checked instead.
    /// - Parameter tokenLogit: of the realised token; any number where it is not needed.
    fileprivate func judge(
        _ token: Int, _ slice: Int, of slices: [Slice], _ outcome: RowStatistics.Outcome, tokenLogit: Double,
        field: String
    ) throws(Problem) {
        guard let mask = mask(of: slices[slice]), mask[token] == 1 else { return }
        if let reason = layout.fault(of: outcome, field: field, token: token) {
            throw Problem(.nonFiniteValue, reason.ofSlice(slice, of: slices.count))
        }
        guard slices[slice].readsToken, case .defined(let summary) = outcome else { return }
        let logProbability = summary.logProbability(ofLogit: tokenLogit)
        guard !logProbability.isFinite else { return }
        throw Problem(
            .nonFiniteValue,
            layout.fault(ofLogProbability: logProbability, field: field, token: token)
                .ofSlice(slice, of: slices.count))
    }
}
