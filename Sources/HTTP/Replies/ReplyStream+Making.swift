import Locking

extension ReplyStream {
    /// The number of pieces to make ahead of the client. It is one for each thread at first and grows to twice that,
    /// because pieces take unequal time and are sent in order.
    private func window(_ state: State) -> Int {
        min(2 * pool.threadCount + 1, pool.threadCount + state.next)
    }

    /// Claims memory for the pieces to begin now.
    ///
    /// Pieces made ahead of the client hold at most a quarter of the budget, and never memory that others hold. If
    /// nothing else is left to send, the next piece waits for memory.
    /// - Returns: the pieces to pass to ``make(_:)`` outside the lock.
    func begin(_ state: inout State) -> Range<Int> {
        let first = state.begun
        let end = min(source.pieceCount, state.next + window(state))
        var isHeldBack = state.begun > state.next + 2 * pool.threadCount
        while state.begun < end, state.ticket == nil, !isHeldBack {
            let needed = source.claim(of: state.begun)
            let held = heldBytes(state)
            let isIdle = state.isIdle
            if !isIdle, held + needed > share.total / MemoryBudget.oneReplyDivisor {
                isHeldBack = true
            } else if share.extend(to: held + needed) != nil {
                isHeldBack = true
                if isIdle { waitForNext(&state) }
            } else {
                count(&state)
            }
        }
        if isHeldBack, state.making.isEmpty { source.letGo() }
        return first..<state.begun
    }

    private func count(_ state: inout State) {
        let bytes = source.begin(state.begun)
        state.makingBytes += bytes
        state.making[state.begun] = bytes
        state.begun += 1
    }

    private func waitForNext(_ state: inout State) {
        source.letGo()
        settle(state)
        // This exceeds the earlier estimate if `letGo` freed data that the piece needs.
        let needed = source.claim(of: state.begun)
        state.ticket = share.budget.wait(for: needed) { [self] isGranted in
            guard isGranted else { return connection.crowdOut(in: turn) }
            // The thread that returned the memory may hold locks.
            pool.submitFurther(expected: source.expected) { [self] in takeGranted(needed) }
        }
    }

    /// Adds the memory that the next piece waited for to the share, and makes the piece.
    private func takeGranted(_ needed: Int) {
        let index = state.withLock { state -> Int? in
            share.adopt(needed)
            state.ticket = nil
            guard !state.isBroken else {
                settle(state)
                return nil
            }
            count(&state)
            return state.begun - 1
        }
        if let index { makeNow(index) }
    }

    func make(_ index: Int) {
        pool.submitFurther(expected: source.expected) { [self] in makeNow(index) }
    }

    private func makeNow(_ index: Int) {
        let isWanted = !state.withLock { $0.isBroken } && connection.isWaiting(in: turn)
        let piece = isWanted ? source.piece(index) : nil
        let (mustWake, further) = state.withLock { state in
            state.makingBytes -= state.making.removeValue(forKey: index) ?? 0
            var further = 0..<0
            if let piece, !state.isBroken {
                state.made[index] = piece
                state.unsentBytes += piece.reduce(0) { $0 + $1.count }
                further = begin(&state)
                settle(state)
            } else {
                drop(&state)
            }
            guard state.isWaiting, state.isBroken || index == state.next else { return (false, further) }
            state.isWaiting = false
            return (true, further)
        }
        for index in further { make(index) }
        if mustWake { connection.resumeStream() }
    }
}
