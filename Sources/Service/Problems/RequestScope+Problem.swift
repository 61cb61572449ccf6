import HTTP

extension RequestScope {
    /// Claims so many bytes beside the body's; see ``RequestScope/claim(_:)``.
    /// - Throws: `busy` or `memory-budget-exceeded`.
    func claimMemory(_ bytes: Int) throws(Problem) {
        if let refusal = claim(bytes) { throw Problem(refusal) }
    }

    /// Between two long parts of the work.
    /// - Throws: when nobody waits for the answer any more.
    func goOn() throws(Problem) {
        guard isWanted else { throw .unheard }
    }
}

extension Problem {
    /// Ends work that nobody waits for. The server has answered such a request, or its client has gone.
    static let unheard = Problem(.deadlineExceeded, "nobody waits for the answer any more")
}
