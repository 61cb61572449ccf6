import Locking

/// One body between the threads that make its pieces and the I/O thread that sends them.
///
/// It claims memory for what exists: data that the source keeps, pieces in the making, and pieces made but not yet
/// sent. Locks are acquired in the order connection, stream, budget.
final class ReplyStream: StreamedBody {
    struct State {
        /// Pieces that are made and not yet being sent.
        var made: [Int: [[UInt8]]] = [:]
        /// The next piece to send, and the next to make.
        var next = 0
        var begun = 0
        /// The piece being sent. Arrays that have been sent are empty. `array` is the first one that is not, and `sent`
        /// of its bytes have been sent.
        var current: [[UInt8]]
        var array = 0
        var sent = 0
        /// Pieces in the making, with the bytes claimed for each in addition to what the source keeps.
        var making: [Int: Int] = [:]
        var makingBytes = 0
        /// The bytes of pieces and arrays that are not completely sent.
        var unsentBytes: Int
        /// Not nil while the next piece waits for memory.
        var ticket: MemoryBudget.Ticket?
        /// Whether the connection is suspended until there is more.
        var isWaiting = false
        var isBroken = false

        /// Whether nothing is left to send unless a further piece is begun.
        var isIdle: Bool { making.isEmpty && made.isEmpty && array == current.count }
    }

    let blockBytes = 256 << 10
    let source: any BodySource
    let connection: Connection
    let turn: Int
    let pool: WorkerPool
    let share: MemoryShare
    /// The bytes held for the request in addition to what the source keeps.
    private let bodyBytes: Int
    let state: Monitor<State>

    /// - Parameters:
    ///   - first: bytes to send before the source's pieces.
    ///   - share: the request's share. From now on only the stream changes it.
    ///   - bodyBytes: the bytes of the request that the source needs. They stay claimed.
    init(
        _ first: [[UInt8]], then source: any BodySource, to connection: Connection, in turn: Int,
        madeBy pool: WorkerPool, share: MemoryShare, holding bodyBytes: Int
    ) {
        self.source = source
        self.connection = connection
        self.turn = turn
        self.pool = pool
        self.share = share
        self.bodyBytes = bodyBytes
        state = Monitor(State(current: first, unsentBytes: first.reduce(0) { $0 + $1.count }))
    }

    /// Copies available bytes into `buffer`, on the connection's I/O thread. Suspends the connection if there are none.
    func next(into buffer: UnsafeMutableRawBufferPointer) -> StreamPortion {
        connection.streamContinues(now: .now) { unsafe read(into: buffer) }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamPortion {
        let (portion, wanted) = state.withLock { state in unsafe take(from: &state, into: buffer) }
        for index in wanted { make(index) }
        return portion
    }

    /// Notes that the client will read no more. Pieces in the making are finished and discarded.
    func cancel() {
        state.withLock { state in drop(&state) }
    }

    /// Frees all pieces and makes no more.
    func drop(_ state: inout State) {
        state.isBroken = true
        state.made = [:]
        state.current = []
        state.array = 0
        state.unsentBytes = 0
        if let ticket = state.ticket.take() { share.budget.stopWaiting(ticket) }
        settle(state)
    }

    private func take(
        from state: inout State, into buffer: UnsafeMutableRawBufferPointer
    ) -> (StreamPortion, toMake: Range<Int>) {
        guard !state.isBroken else { return (.broken, 0..<0) }
        let copied = unsafe copy(from: &state, into: buffer)
        let toMake = begin(&state)
        settle(state)
        if copied > 0 { return (.bytes(copied), toMake) }
        guard state.next < source.pieceCount else { return (.end, toMake) }
        state.isWaiting = true
        return (.nothingYet, toMake)
    }

    private func copy(from state: inout State, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var copied = 0
        while copied < buffer.count {
            if state.array < state.current.count {
                let array = state.current[state.array]
                let count = min(array.count - state.sent, buffer.count - copied)
                unsafe array.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[copied...])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[state.sent..<state.sent + count]))
                }
                copied += count
                state.sent += count
                if state.sent == array.count {
                    // Frees the array.
                    state.current[state.array] = []
                    state.unsentBytes -= array.count
                    state.array += 1
                    state.sent = 0
                }
            } else if let piece = state.made.removeValue(forKey: state.next) {
                state.current = piece
                state.array = 0
                state.next += 1
            } else {
                break
            }
        }
        return copied
    }

    /// The bytes held now.
    func heldBytes(_ state: State) -> Int {
        bodyBytes + source.keptBytes + state.makingBytes + state.unsentBytes
    }

    func settle(_ state: State) {
        share.settle(at: heldBytes(state))
    }
}
