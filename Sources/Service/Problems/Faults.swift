/// All faults of a request so far, so that one reply can name them all.
struct Faults {
    private var found: [(kind: Problem.Kind, reason: Problem.Reason)] = []
    private var unlisted = 0

    var isEmpty: Bool { found.isEmpty }

    /// - Parameter reason: evaluated only if it is kept. A batch of a million unknown names does not need a million
    ///   suggestions.
    mutating func add(_ kind: Problem.Kind, _ reason: @autoclosure () -> Problem.Reason) {
        if found.count < 10 * Problem.listedReasons { found.append((kind, reason())) } else { unlisted += 1 }
    }

    /// Throws one problem with every reason. The gravest kind names it and comes first.
    func check() throws(Problem) {
        guard !found.isEmpty else { return }
        let kinds = Set(found.map(\.kind))
        guard let kind = Problem.Kind.byGravity.first(where: kinds.contains) else {
            preconditionFailure("a kind of fault without a gravity")
        }
        let reasons = found.filter { $0.kind == kind } + found.filter { $0.kind != kind }
        throw Problem(kind, reasons.map(\.reason), unlisted: unlisted)
    }
}
