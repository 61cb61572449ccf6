import Glibc
import HTTP
import JSON
import Locking

/// The latest scored batches of each run, for viewers. Nothing else of a request outlives its reply.
final class RecentBatches: Sendable {
    private struct Run {
        /// Ascending.
        var batches: [KeptBatch] = []
        var history = SignalHistory()
        var last = 0
        var total = 0
    }

    private struct State {
        var runs: [String: Run] = [:]
        var number = 0
        var bytes = 0
        var tooLarge = 0
    }

    /// The extent of what is kept.
    struct Extent: Sendable {
        var batches = 0
        var bytes = 0
        var total = 0
        var tooLarge = 0
        var viewers = 0
    }

    /// The feed that announces each batch.
    let feed: EventFeed
    let perRun: Int
    /// The memory limit for batches and histories of all runs together.
    let limit: Int
    static let mostViewers = 32
    /// The largest number of runs. A further run replaces the one with the oldest activity.
    static let mostRuns = 64
    private static let eventBytes = 256 << 10
    private let state = Monitor(State())

    init(perRun: Int, bytes: Int) {
        self.perRun = perRun
        limit = bytes - RecentBatches.eventBytes
        feed = EventFeed(
            viewers: RecentBatches.mostViewers, keptBytes: RecentBatches.eventBytes,
            epoch: String(Int(RecentBatches.now * 1000), radix: 36))
    }

    private static var now: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1000
    }

    /// Keeps a scored batch. If the memory is full, it replaces the oldest ones.
    /// - Complexity: O(1) in the batch's size.
    func keep(_ reply: TensorReply, run: String, requestID: String) {
        guard reply.shown != nil else { return }
        let time = RecentBatches.now
        // Released outside the lock, because freeing megabytes takes time.
        var dropped: [KeptBatch] = []
        let summary = state.withLock { state -> JSONValue? in
            state.number += 1
            guard
                let batch = KeptBatch(
                    reply, number: state.number, time: time, run: run, requestID: requestID)
            else { return nil }
            dropped += makeRun(run, &state)
            state.runs[run]?.history.append(SignalPoint(number: batch.number, time: time, reply))
            state.runs[run]?.last = batch.number
            state.runs[run]?.total += 1
            guard batch.bytes <= limit - state.runs.count * SignalHistory.bytes else {
                state.tooLarge += 1
                return batch.summary
            }
            state.runs[run]?.batches.append(batch)
            state.bytes += batch.bytes
            if let kept = state.runs[run], kept.batches.count > perRun {
                dropped += dropOldest(of: run, &state)
            }
            while state.bytes > limit, let oldest = oldest(state) {
                dropped += dropOldest(of: oldest, &state)
            }
            return batch.summary
        }
        if let summary { feed.publish("batch", data: summary.bytes) }
    }

    private func makeRun(_ name: String, _ state: inout State) -> [KeptBatch] {
        guard state.runs[name] == nil else { return [] }
        var dropped: [KeptBatch] = []
        if state.runs.count >= RecentBatches.mostRuns,
            let silent = state.runs.min(by: { $0.value.last < $1.value.last })
        {
            dropped = silent.value.batches
            state.bytes -= dropped.reduce(SignalHistory.bytes) { $0 + $1.bytes }
            state.runs[silent.key] = nil
        }
        state.runs[name] = Run()
        state.bytes += SignalHistory.bytes
        return dropped
    }

    /// The run with the oldest batch.
    private func oldest(_ state: State) -> String? {
        state.runs.filter { !$0.value.batches.isEmpty }
            .min { $0.value.batches[0].number < $1.value.batches[0].number }?.key
    }

    private func dropOldest(of run: String, _ state: inout State) -> [KeptBatch] {
        guard let batch = state.runs[run]?.batches.removeFirst() else { return [] }
        state.bytes -= batch.bytes
        return [batch]
    }

    /// Returns the batch with this number; nil if it is not kept, or no longer.
    func batch(_ number: Int) -> KeptBatch? {
        state.withLock { state in
            state.runs.values.lazy.compactMap { run in run.batches.first { $0.number == number } }.first
        }
    }

    var extent: Extent {
        let viewers = feed.viewers
        return state.withLock { state in
            Extent(
                batches: state.runs.values.reduce(0) { $0 + $1.batches.count }, bytes: state.bytes,
                total: state.number, tooLarge: state.tooLarge, viewers: viewers)
        }
    }

    /// The runs with their signals and kept batches, the most recently active first.
    var json: JSONValue {
        let runs = state.withLock { $0.runs }
        let extent = extent
        return [
            "keep_recent": .integer(Int64(perRun)), "limit_bytes": .integer(Int64(limit)),
            "kept_bytes": .integer(Int64(extent.bytes)), "viewers": .integer(Int64(extent.viewers)),
            "viewers_limit": .integer(Int64(RecentBatches.mostViewers)),
            "runs": .array(
                runs.sorted { $0.value.last > $1.value.last }.map { name, run in
                    [
                        "run": .string(name), "total": .integer(Int64(run.total)),
                        "history": run.history.json, "batches": .array(run.batches.map(\.summary)),
                    ]
                }),
        ]
    }
}
