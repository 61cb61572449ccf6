/// The limits of a body that is reduced as it arrives, in bytes.
struct IntakeLimits: Sendable {
    /// The maximum size of the whole body, held or not.
    let streamed: Int
    /// The maximum size of what is held of it.
    let held: Int
    /// The memory of all requests together.
    let budget: Int

    /// - Parameters:
    ///   - held: the bytes that this body will hold once it is complete.
    ///   - advice: how to send it so that it holds less.
    /// - Throws: 507 if the body could never fit, however long it waited; 413 if it exceeds the limit of one body.
    func check(held: Int, declared: Int?, advice: String?) throws(Problem) {
        let limit = min(self.held, budget)
        guard held > limit else { return }
        let words = advice.map { ": \($0)" } ?? ""
        throw Problem(
            held > budget ? .memoryBudgetExceeded : .bodyTooLarge,
            Problem.Reason(
                "this body would be held in memory\(words)", field: "body",
                expected: "at most \(held > budget ? budget : self.held) bytes held", found: "\(held) bytes"),
            limit: held > budget ? budget : self.held)
    }
}
