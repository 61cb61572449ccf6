/// The limits of a body that is reduced as it arrives, in bytes.
struct IntakeLimits: Sendable {
    /// The whole body, held or not.
    let streamed: Int
    /// What is held of it.
    let held: Int
    /// Memory of all requests together.
    let budget: Int

    /// - Parameters:
    ///   - held: what this body will hold once it is complete.
    ///   - advice: how it could be sent so that it holds less.
    /// - Throws: 507 when no waiting would make it fit, 413 when it is above the limit of one body.
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
