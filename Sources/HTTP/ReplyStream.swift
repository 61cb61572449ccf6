import Locking

/// One streamed body between the batch threads that make its pieces and the I/O thread that sends them.
///
/// Locks are taken in the order connection, stream; never the other way.
final class ReplyStream: Sendable {
    /// What there is to send.
    enum Portion {
        case bytes(Int)
        /// Nothing yet; the next piece wakes the connection.
        case nothingYet
        case end
        /// A piece could not be made, or nobody wants it.
        case broken
    }

    private struct State {
        /// Made, not yet begun to be sent.
        var made: [Int: [[UInt8]]] = [:]
        /// The next piece to send, and the next to make.
        var next = 0
        var begun = 0
        /// What is being sent, and how much of its first array is gone.
        var current: ArraySlice<[UInt8]>
        var sent = 0
        var isWaiting = false
        var isBroken = false
    }

    private let source: any BodySource
    private let connection: Connection
    private let turn: Int
    private let pool: WorkerPool
    /// Pieces made or in the making that the client has not begun to take: some for each thread, as they take unequal
    /// time and are sent in order.
    private let ahead: Int
    private let state: Monitor<State>

    /// - Parameter first: sent before the source's pieces.
    init(
        _ first: [[UInt8]], then source: any BodySource, to connection: Connection, in turn: Int,
        madeBy pool: WorkerPool
    ) {
        self.source = source
        self.connection = connection
        self.turn = turn
        self.pool = pool
        ahead = 2 * pool.threadCount + 1
        state = Monitor(State(current: first[...]))
    }

    /// Copies what is there into `buffer`, on the connection's I/O thread; suspends the connection when that is nothing.
    func next(into buffer: UnsafeMutableRawBufferPointer) -> Portion {
        connection.streamContinues(now: .now) { unsafe read(into: buffer) }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Portion {
        let (portion, wanted) = state.withLock { state in unsafe take(from: &state, into: buffer) }
        for index in wanted { make(index) }
        return portion
    }

    /// Nobody will read any more. What is being made is finished, unheard.
    func cancel() {
        state.withLock { state in
            state.isBroken = true
            state.made = [:]
        }
    }

    private func take(
        from state: inout State, into buffer: UnsafeMutableRawBufferPointer
    ) -> (Portion, toMake: Range<Int>) {
        guard !state.isBroken else { return (.broken, 0..<0) }
        var copied = 0
        while copied < buffer.count {
            if let array = state.current.first {
                let count = min(array.count - state.sent, buffer.count - copied)
                unsafe array.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[copied...])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[state.sent..<state.sent + count]))
                }
                copied += count
                state.sent += count
                if state.sent == array.count {
                    state.current.removeFirst()
                    state.sent = 0
                }
            } else if let piece = state.made.removeValue(forKey: state.next) {
                state.current = piece[...]
                state.next += 1
            } else {
                break
            }
        }
        let toMake = state.begun..<max(state.begun, min(source.pieceCount, state.next + ahead))
        state.begun = toMake.upperBound
        if copied > 0 { return (.bytes(copied), toMake) }
        guard state.next < source.pieceCount else { return (.end, toMake) }
        state.isWaiting = true
        return (.nothingYet, toMake)
    }

    private func make(_ index: Int) {
        pool.submitFurther { [self] in
            let isWanted = !state.withLock { $0.isBroken } && connection.isWaiting(in: turn)
            let piece = isWanted ? source.piece(index) : nil
            let mustWake = state.withLock { state in
                if let piece, !state.isBroken {
                    state.made[index] = piece
                } else {
                    state.isBroken = true
                    state.made = [:]
                }
                guard state.isWaiting, state.isBroken || index == state.next else { return false }
                state.isWaiting = false
                return true
            }
            if mustWake { connection.resumeStream() }
        }
    }
}
