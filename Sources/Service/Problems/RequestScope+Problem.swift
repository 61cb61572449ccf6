import HTTP

extension RequestScope {
    /// Claims this number of bytes in addition to the body's; see ``RequestScope/claim(_:)``.
    /// - Throws: `busy` or `memory-budget-exceeded`.
    func claimMemory(_ bytes: Int) throws(Problem) {
        if let refusal = claim(bytes) { throw Problem(refusal) }
    }

    /// Call between two long steps of the work.
    /// - Throws: if the client no longer waits for the answer.
    func goOn() throws(Problem) {
        guard isWanted else { throw .unheard }
    }
}

extension Problem {
    /// Ends work that is no longer wanted. The server has answered the request, or its client has left.
    static let unheard = Problem(.deadlineExceeded, "the answer is no longer wanted")
}
